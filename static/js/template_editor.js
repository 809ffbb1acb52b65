// The template editor: one language at a time, merge fields put in at the cursor, and fields with
// mistakes brought into view. Without it all languages stand one under the other.

const form = document.querySelector("[data-template-editor]");
const panels = [...form.querySelectorAll("[data-language]")];
const choices = [...form.querySelectorAll("input[name=language]")];
let lastField = null;

function show(language) {
  for (const panel of panels) panel.hidden = panel.dataset.language !== language;
  if (lastField && lastField.closest("[hidden]")) lastField = null;
}

function choose(language) {
  const choice = choices.find((each) => each.value === language);
  if (!choice) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}

form.addEventListener("change", (event) => {
  if (event.target.name === "language") show(event.target.value);
});

form.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-merge]")) lastField = event.target;
});

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const shown = panels.find((panel) => !panel.hidden);
  const field = lastField ?? shown.querySelector("textarea[data-merge]");
  field.focus();
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#id_"]');
  const field = link && document.getElementById(link.hash.slice(1));
  const panel = field?.closest("[data-language]");
  if (!panel) return;
  choose(panel.dataset.language);
  const folded = field.closest("details");
  if (folded) folded.open = true;
});

// A required field in a hidden panel cannot be focused: bring it into view instead.
form.addEventListener("invalid", (event) => {
  const panel = event.target.closest("[data-language][hidden]");
  if (panel) choose(panel.dataset.language);
}, true);

const chosen = choices.find((each) => each.checked);
if (chosen) show(chosen.value);
