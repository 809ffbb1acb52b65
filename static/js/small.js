// Small helpers, all by delegation so that they work on swapped-in parts: copy, print, reveal a
// password, fill a demo login, click a whole row, close menus; and show the tab one is on.

// Sideways only: the page itself stays where it begins.
for (const tab of document.querySelectorAll(".tab-bar [aria-current]")) {
  const bar = tab.closest(".tab-bar");
  bar.scrollLeft += tab.getBoundingClientRect().left - bar.getBoundingClientRect().left
    - (bar.clientWidth - tab.offsetWidth) / 2;
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.classList.add("is-copied");
    document.dispatchEvent(new CustomEvent("toast", { detail: { message: copy.dataset.copied } }));
    setTimeout(() => copy.classList.remove("is-copied"), 1500);
  }

  if (event.target.closest("[data-print]")) window.print();

  const reveal = event.target.closest("[data-reveal]");
  if (reveal) {
    const field = document.getElementById(reveal.dataset.reveal);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    reveal.setAttribute("aria-pressed", String(!shown));
  }

  const demo = event.target.closest("[data-fill-username]");
  if (demo) {
    const form = document.querySelector("form:has([name=password])");
    form.elements.username.value = demo.dataset.fillUsername;
    form.elements.password.value = demo.dataset.fillPassword;
    form.requestSubmit();
  }

  const row = event.target.closest("tr[data-row-link]");
  if (row && !event.target.closest("a, button, input, label, summary") && !getSelection().toString()) {
    row.querySelector("a[href]")?.click();
  }

  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
