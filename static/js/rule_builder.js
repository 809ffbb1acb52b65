// The rule builder: drag a condition or a group by its grip, or move it by arrow keys on the grip.
// The server does the moving; this only says what was meant. Without it the buttons do the same.

const form = document.getElementById("segment-form");
const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowRight: "in", ArrowLeft: "out" };
const EDGE = 14; // So many pixels of a group's upper and lower edge mean beside it, not into it.

let dragged = null;
let target = null;
let returnsToGrip = false;

const nodeOf = (element) => element.closest("[data-path]");

function mark(found) {
  for (const name of ["is-gap-before", "is-gap-after", "is-gap-within"]) {
    for (const marked of form.querySelectorAll(`.${name}`)) marked.classList.remove(name);
  }
  found?.marked.classList.add(found.look);
}

// Where it would go if it were let go here: a group, and before which of its nodes.
function placeAt(event) {
  const group = event.target.closest(".rule-group");
  const item = event.target.closest(".rule-list > li");
  if (!group || dragged.contains(group)) return null;
  const beside = item && besideOf(item, event, group);
  if (beside) return beside;
  const isHead = event.target.closest(".rule-head");
  const count = group.querySelectorAll(":scope > .rule-list > li").length;
  return { group, index: isHead ? 0 : count, marked: group, look: "is-gap-within" };
}

function besideOf(item, event, group) {
  const box = item.getBoundingClientRect();
  const holdsGroup = item.contains(group);
  const isUpper = event.clientY < box.top + (holdsGroup ? EDGE : box.height / 2);
  const isLower = event.clientY > box.bottom - (holdsGroup ? EDGE : box.height / 2);
  if (!isUpper && !isLower) return null;
  const index = [...item.parentElement.children].indexOf(item) + (isUpper ? 0 : 1);
  return {
    group: item.parentElement.closest(".rule-group"),
    index,
    marked: item,
    look: isUpper ? "is-gap-before" : "is-gap-after",
  };
}

function forget() {
  mark(null);
  dragged?.classList.remove("is-dragged");
  dragged = target = null;
}

form.addEventListener("dragstart", (event) => {
  const grip = event.target.closest?.("[data-grip]");
  if (!grip) return;
  dragged = nodeOf(grip);
  dragged.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.path);
  event.dataTransfer.setDragImage(dragged, 16, 16);
});

form.addEventListener("dragover", (event) => {
  if (!dragged) return;
  target = placeAt(event);
  mark(target);
  if (target) event.preventDefault();
});

form.addEventListener("drop", (event) => {
  if (!dragged || !target) return;
  event.preventDefault();
  const button = document.getElementById("dragged");
  button.value = `move:${dragged.dataset.path}:${target.group.dataset.path}:${target.index}`;
  returnsToGrip = true;
  button.click();
  forget();
});

form.addEventListener("dragend", forget);

form.addEventListener("keydown", (event) => {
  const grip = event.target.closest("[data-grip]");
  if (!grip || !(event.key in KEYS)) return;
  event.preventDefault();
  const button = grip.parentElement.querySelector(`[data-move=${KEYS[event.key]}]:enabled`);
  if (!button) return;
  returnsToGrip = true;
  button.click();
});

// The server points at what was moved; whoever moved it by its grip goes on there.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!returnsToGrip || event.target.id !== "builder") return;
  const moved = form.querySelector("#builder [autofocus]");
  if (!moved) return;
  returnsToGrip = false;
  nodeOf(moved).querySelector("[data-grip]")?.focus();
});

const said = (data) =>
  [...data].filter(([name]) => name.startsWith("rules.")).map(String).sort().join();

// Rules that changed while they were being drawn anew are not in the answer: ask for it again.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "builder" || !event.detail.shouldSwap) return;
  const { elt, formData, triggeringEvent } = event.detail.requestConfig;
  if (said(formData) === said(new FormData(form))) return;
  event.detail.shouldSwap = false;
  // Once this request is over: beside it, a second one would be dropped.
  setTimeout(() => htmx.trigger(elt, triggeringEvent.type));
});
