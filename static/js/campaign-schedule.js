// Shows only the inputs that the chosen kind of schedule needs; without scripts all are shown.
(() => {
  const form = document.querySelector("[data-schedule]");
  if (!form) return;
  const needed = {
    now: [],
    later: ["date", "time"],
    repeat: ["pattern", "time"],
  };
  const perPattern = { weekly: ["weekday"], monthly: ["day"], daily: [] };
  const conditional = ["date", "time", "pattern", "weekday", "day"];

  const show = () => {
    const when = form.elements.when.value;
    const shown = [...(needed[when] || conditional)];
    if (when === "repeat") shown.push(...(perPattern[form.elements.pattern.value] || []));
    for (const name of conditional) {
      form.elements[name].closest(".field").hidden = !shown.includes(name);
    }
  };
  form.addEventListener("change", show);
  show();
})();
