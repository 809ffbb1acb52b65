// Toasts: Django's messages in the page, HX-Trigger: {"toast": {"message": …, "tone": …}},
// and requests that failed. Good news leaves by itself; warnings and errors stay.

const region = document.getElementById("toasts");
const SECONDS = 6;

function show(text, tone) {
  const toast = document.getElementById(`toast-${tone}`).content.cloneNode(true).firstElementChild;
  toast.querySelector("[data-text]").textContent = text;
  region.append(toast);
  leaveLater(toast);
}

function leaveLater(toast) {
  if ("stays" in toast.dataset) return;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, 1000);
    else toast.remove();
  };
  setTimeout(leave, SECONDS * 1000);
}

for (const toast of region.children) leaveLater(toast);

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast-note").remove();
});

document.addEventListener("toast", (event) => {
  show(event.detail.message, event.detail.tone ?? "success");
});

document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const reason = page.querySelector("[data-reason]")?.textContent.trim();
  show(reason || region.dataset.failed, "danger");
});

document.addEventListener("htmx:sendError", () => show(region.dataset.offline, "danger"));
