// A form posts once: a second click while the first is under way does nothing. One that fetches
// a file (data-download) leaves its page standing, where it may be sent again.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || "download" in form.dataset) return;
  if (form.dataset.submitting) {
    event.preventDefault();
    return;
  }
  form.dataset.submitting = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});

// Coming back with the browser's back button finds the form usable again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-submitting]")) {
    delete form.dataset.submitting;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});
