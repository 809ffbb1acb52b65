// Shows only the inputs that the chosen kind of schedule needs; without scripts all are shown.
(() => {
  const form = document.querySelector("[data-schedule]");
  if (!form) return;
  const needed = {
    now: [],
    later: ["date", "time"],
    repeat: ["pattern"],
  };
  const perPattern = {
    daily: ["time"],
    weekly: ["weekday", "time"],
    monthly: ["day", "time"],
    kept: [],
  };
  // What a rule that was set up elsewhere says by itself.
  const ownWords = ["interval", "until", "times"];
  const conditional = ["date", "time", "pattern", "weekday", "day", ...ownWords];
  const fieldOf = (name) => form.querySelector(`[name="${name}"]`).closest(".field");

  const show = () => {
    const when = form.elements.when.value;
    const pattern = form.elements.pattern.value;
    const shown = [...(needed[when] || conditional)];
    if (when === "repeat") {
      shown.push(...(perPattern[pattern] || []), ...(pattern === "kept" ? [] : ownWords));
    }
    for (const name of conditional) fieldOf(name).hidden = !shown.includes(name);
    for (const part of form.querySelectorAll("[data-when]")) {
      part.hidden = part.dataset.when !== when;
    }
  };
  form.addEventListener("change", show);
  show();
})();
