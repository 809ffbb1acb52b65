// The counter by keyboard: a key that is shown on the page goes where it says; Enter never sends
// half a bill; the time a bill is held runs down.

const sheet = document.getElementById("sheet");
const add = () => document.getElementById("add");

function reach(target) {
  if (target.matches("a, button")) target.click();
  else {
    const shown = target.hidden ? add() : target;
    shown.focus();
    shown.select?.();
  }
}

// A price that is on its way comes first: nobody reserves what she has just changed.
function afterPrice(act) {
  document.activeElement?.blur();
  if (!document.querySelector(".is-pricing")) act();
  else document.addEventListener("htmx:afterSettle", act, { once: true });
}

document.addEventListener("keydown", (event) => {
  // A key held down would go on on the next page.
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && typing && event.target.id !== "who") return;
  // Before the first service's price is there, nor is what holds the bill.
  if (event.key === "F8" && sheet) {
    event.preventDefault();
    afterPrice(() => document.querySelector('[data-key="F8"]')?.click());
    return;
  }
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  reach(target);
});

sheet?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input:not([role=combobox])")) return;
  event.preventDefault();
  event.target.blur();
  add().focus();
});

document.getElementById("who")?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const first = document.querySelector("#found button");
  if (!first) return;
  event.preventDefault();
  first.click();
});

const busy = (is) => {
  document.getElementById("quote")?.classList.toggle("is-pricing", is);
  const go = document.querySelector('[data-key="F8"]');
  if (sheet && go) go.disabled = is;
};
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (sheet?.contains(detail.elt)) busy(true);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!sheet?.contains(detail.elt) && detail.elt !== sheet) return;
  busy(false);
  const select = sheet.querySelector("select[name=add]");
  if (detail.elt === select && select.value) {
    select.value = "";
    add().value = "";
    add().focus();
  }
});

// The price tells what is wrong; the field that it means is marked too.
function mark() {
  const told = new Map([...document.querySelectorAll("#quote [data-at]")].map((each) => [each.dataset.at, each.id]));
  for (const input of sheet?.querySelectorAll("input.form-control[name]") ?? []) {
    const by = told.get(input.id);
    for (const [name, value] of [["aria-invalid", by && "true"], ["aria-describedby", by]]) {
      if (by) input.setAttribute(name, value);
      else input.removeAttribute(name);
    }
  }
}
document.addEventListener("htmx:afterSettle", mark);
mark();

// What is posted beside the bill names the bill as it is now.
document.addEventListener("submit", ({ target }) => {
  if ("sheet" in target.dataset) target.elements.sheet.value = location.search.slice(1);
});

const held = document.querySelector("[data-until]");
if (held) {
  const until = Date.parse(held.dataset.until);
  const draw = () => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    if (seconds === 0) {
      held.textContent = held.dataset.over;
      clearInterval(running);
      return;
    }
    held.querySelector("[data-left]").textContent =
      `(${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")})`;
  };
  const running = setInterval(draw, 1000);
  draw();
}
