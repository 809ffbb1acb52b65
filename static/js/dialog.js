// Confirmation before a POST: forms with data-confirm, and hx-confirm, share one native dialog.
// Opening and closing other dialogs is declarative (command, commandfor) and needs no script.

const dialog = document.getElementById("confirm");

function ask({ title, text = "", yes = "", danger = false }) {
  const button = dialog.querySelector("[data-yes]");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("[data-text]").textContent = text;
  button.textContent = yes || button.dataset.default;
  button.className = danger ? "btn btn-danger" : "btn btn-primary";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { confirm, confirmText, confirmYes } = form.dataset;
    const danger = "confirmDanger" in form.dataset;
    if (await ask({ title: confirm, text: confirmText, yes: confirmYes, danger })) {
      // A page that renews itself may have taken the form away meanwhile; only one in it is sent.
      if (!form.isConnected) {
        form.hidden = true;
        document.body.append(form);
      }
      form.dataset.confirmed = "yes";
      form.requestSubmit(event.submitter);
    }
  },
  { capture: true },
);

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  const { confirmText, confirmYes } = event.detail.elt.dataset;
  const danger = "confirmDanger" in event.detail.elt.dataset;
  if (await ask({ title: event.detail.question, text: confirmText, yes: confirmYes, danger })) {
    event.detail.issueRequest(true);
  }
});

// A dialog that the page comes with open stands above it, as when it was opened by its button.
for (const open of document.querySelectorAll("dialog[open]")) {
  open.close();
  open.showModal();
  open.querySelector("[aria-invalid=true]")?.focus();
}
