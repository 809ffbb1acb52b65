// select[data-searchable]: type to narrow it (ARIA combobox); multiple shows chips. The select stays
// in the form, hidden, and carries the value.

let made = 0;

function enhance(select) {
  const id = `combo-${++made}`;
  const box = document.createElement("div");
  const typing = document.createElement("input");
  const list = document.createElement("ul");
  const many = select.multiple;
  const label = document.querySelector(`label[for="${select.id}"]`);
  let active = 0;

  box.className = many ? "form-control chips-box" : "combo-box";
  typing.className = many ? "" : "form-select";
  typing.type = "text";
  typing.id = select.id;
  typing.autocomplete = "off";
  typing.placeholder = select.dataset.placeholder ?? select.querySelector('option[value=""]')?.text ?? "";
  typing.setAttribute("role", "combobox");
  typing.setAttribute("aria-autocomplete", "list");
  typing.setAttribute("aria-expanded", "false");
  typing.setAttribute("aria-controls", id);
  for (const name of ["aria-describedby", "aria-invalid", "aria-label"]) {
    if (select.hasAttribute(name)) typing.setAttribute(name, select.getAttribute(name));
  }
  list.className = "combo-list";
  list.id = id;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", label?.textContent ?? typing.placeholder);
  if (many) list.setAttribute("aria-multiselectable", "true");

  // A browser can point at the box, not at the hidden select; of several, the server says it.
  typing.required = select.required && !many;
  select.required = false;

  select.removeAttribute("id");
  select.removeAttribute("data-searchable");
  select.hidden = true;
  select.after(box);
  box.append(typing, list);

  const choices = () => [...select.options].filter((option) => option.value !== "");
  const chosen = () => choices().filter((option) => option.selected);

  function matching() {
    const words = typing.value.trim().toLocaleLowerCase();
    const whole = !many && words === chosen()[0]?.text.toLocaleLowerCase();
    return choices().filter((option) => whole || option.text.toLocaleLowerCase().includes(words));
  }

  function drawList() {
    const found = matching();
    active = Math.min(active, Math.max(found.length - 1, 0));
    list.replaceChildren(
      ...found.map((option, index) => {
        const item = document.createElement("li");
        item.id = `${id}-${index}`;
        item.textContent = option.text;
        item.classList.toggle("is-active", index === active);
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(option.selected));
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          choose(option);
        });
        return item;
      }),
    );
    list.hidden = found.length === 0;
    typing.setAttribute("aria-expanded", String(!list.hidden));
    if (found.length) typing.setAttribute("aria-activedescendant", `${id}-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    typing.setAttribute("aria-expanded", "false");
    typing.removeAttribute("aria-activedescendant");
    typing.value = many ? "" : chosen()[0]?.text ?? "";
  }

  function drawChips() {
    const chips = chosen().map((option) => {
      const chip = document.createElement("span");
      const remove = document.createElement("button");
      chip.className = "chip";
      chip.append(option.text, remove);
      remove.type = "button";
      remove.setAttribute("aria-label", `× ${option.text}`);
      remove.addEventListener("click", () => {
        choose(option);
        typing.focus();
      });
      return chip;
    });
    for (const chip of box.querySelectorAll(".chip")) chip.remove();
    if (many) typing.before(...chips);
  }

  function choose(option) {
    option.selected = many ? !option.selected : true;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Whoever chose, the box shows it: another script or the browser may have, too.
  select.addEventListener("change", () => {
    drawChips();
    close();
  });
  typing.addEventListener("input", () => {
    active = 0;
    drawList();
  });
  typing.addEventListener("click", drawList);
  typing.addEventListener("blur", close);
  typing.addEventListener("change", (event) => event.stopPropagation());
  typing.addEventListener("keydown", (event) => {
    const found = matching();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!list.hidden && found.length) {
        active = (active + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      }
      drawList();
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (found[active]) choose(found[active]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && many && !typing.value && chosen().length) {
      choose(chosen().at(-1));
      typing.focus();
    }
  });
  drawChips();
  close();
}

document.addEventListener("htmx:load", (event) => {
  for (const select of event.target.querySelectorAll("select[data-searchable]")) enhance(select);
});
