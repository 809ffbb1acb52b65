// input[data-chips]: each word a chip with its remove button; the field still sends "a, b, c".

function enhance(source) {
  const words = source.value.split(",").map((word) => word.trim()).filter(Boolean);
  const box = document.createElement("div");
  const typing = document.createElement("input");
  box.className = "form-control chips-box";
  typing.type = "text";
  typing.id = source.id;
  typing.placeholder = source.placeholder;
  typing.autocomplete = "off";
  for (const name of ["list", "aria-describedby", "aria-invalid"]) {
    if (source.hasAttribute(name)) typing.setAttribute(name, source.getAttribute(name));
  }
  source.removeAttribute("id");
  source.removeAttribute("data-chips");
  source.type = "hidden";
  source.after(box);
  box.append(typing);

  function draw() {
    for (const chip of box.querySelectorAll(".chip")) chip.remove();
    typing.before(
      ...words.map((word, index) => {
        const chip = document.createElement("span");
        const remove = document.createElement("button");
        chip.className = "chip";
        chip.append(word, remove);
        remove.type = "button";
        remove.setAttribute("aria-label", `× ${word}`);
        remove.addEventListener("click", () => change(() => words.splice(index, 1)));
        return chip;
      }),
    );
  }

  function change(edit) {
    edit();
    source.value = words.join(", ");
    draw();
    typing.focus();
    source.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function take() {
    const word = typing.value.replaceAll(",", "").trim();
    typing.value = "";
    if (word && !words.includes(word)) change(() => words.push(word));
  }

  typing.addEventListener("keydown", (event) => {
    if (event.key === "," || (event.key === "Enter" && typing.value.trim())) {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !typing.value && words.length) {
      change(() => words.pop());
    }
  });
  typing.addEventListener("change", take);
  box.addEventListener("click", (event) => event.target === box && typing.focus());
  draw();
}

document.addEventListener("htmx:load", (event) => {
  for (const source of event.target.querySelectorAll("input[data-chips]")) enhance(source);
});
