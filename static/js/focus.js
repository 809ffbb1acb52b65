// A part of the page that renews itself keeps the focus on the link or button that had it.

let place = null;

const alike = (part, html) =>
  [...part.querySelectorAll("a, button, summary")].filter((each) => each.outerHTML === html);

// What has an id HTMX finds again by itself.
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  const { activeElement: focused } = document;
  place = null;
  if (!target.id || focused.id || !target.contains(focused)) return;
  const html = focused.outerHTML;
  place = { part: target.id, html, number: alike(target, html).indexOf(focused) };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!place) return;
  const part = document.getElementById(place.part);
  // Where the server says what comes next, that has it.
  if (part && !part.querySelector("[autofocus]")) {
    alike(part, place.html)[place.number]?.focus({ preventScroll: true });
  }
  place = null;
});
