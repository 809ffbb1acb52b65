// The inbox page: polls what came in and draws it with text nodes only.
const find = (id) => document.getElementById(id);
const TICKS = {
  accepted: "🕓",
  sent: "✓",
  delivered: "✓✓",
  read: "✓✓",
  failed: "✕ failed",
  complained: "✕ marked as spam",
};
const VENDORS = {
  meta: "WhatsApp",
  gupshup: "WhatsApp · Gupshup",
  twilio_whatsapp: "WhatsApp · Twilio",
  msg91: "SMS · MSG91",
  twilio: "SMS · Twilio",
  ssl_wireless: "SMS · SSL Wireless",
  sendgrid: "Mail · SendGrid",
  ses: "Mail · Amazon SES",
  smtp: "Mail",
};
let who = new URLSearchParams(location.search).get("to") || "";
let shown = "";
let account = "";
let stopsAt = "";

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
};

const fetchJson = async (path) => (await fetch(path)).json();

async function drawThreads() {
  const threads = await fetchJson(`/inbox/threads?q=${encodeURIComponent(find("search").value)}`);
  find("nobody").hidden = threads.length > 0;
  find("threads").replaceChildren(
    ...threads.map(({ recipient, messages }) => {
      const button = element("button");
      button.type = "button";
      button.append(element("span", "address", recipient), element("span", "count", String(messages)));
      if (recipient === who) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => open(recipient));
      const row = element("li");
      row.append(button);
      return row;
    }),
  );
}

function bubble(said) {
  const row = element("li", said.state);
  if (said.language) row.lang = said.language;
  if (said.subject) {
    row.classList.add("mail");
    row.append(element("strong", "", said.subject), element("small", "foot", `${said.name} <${said.from}>`));
    if (said.is_html) {
      const frame = element("iframe");
      frame.setAttribute("sandbox", "");
      frame.title = said.subject;
      frame.src = `/inbox/mail/${said.id}`;
      row.append(frame);
    } else {
      row.append(element("span", "", said.body));
    }
    if (said.unsubscribes) {
      const button = element("button", "actions", "Unsubscribe");
      button.type = "button";
      button.addEventListener("click", () => tell("unsubscribe", { id: said.id }));
      row.append(button);
    }
  } else {
    if (said.header) row.append(element("strong", "", said.header));
    row.append(element("span", "", said.body));
    if (said.footer) row.append(element("small", "foot", said.footer));
  }
  const when = new Date(said.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const vendor = said.state === "inbound" ? "" : `${VENDORS[said.provider]} · `;
  const foot = element("small", "", `${vendor}${when} `);
  foot.lang = "en";
  if (said.state !== "inbound") {
    const ticks = element("span", "ticks", TICKS[said.state]);
    ticks.title = said.cause ? `${said.state}: ${said.cause}` : said.state;
    foot.append(ticks);
  }
  row.append(foot);
  for (const label of said.buttons || []) row.append(element("span", "actions", label));
  return row;
}

async function drawThread() {
  if (!who) return;
  const said = await fetchJson(`/inbox/thread?to=${encodeURIComponent(who)}`);
  const now = JSON.stringify(said);
  if (now === shown) return;
  shown = now;
  account = said.findLast((one) => one.hears)?.account || "";
  stopsAt = said.findLast((one) => one.prefers)?.account || "";
  find("reply").hidden = !account;
  find("oneway").hidden = Boolean(account) || !said.length;
  find("preferences").hidden = !stopsAt;
  find("bubbles").replaceChildren(...said.map(bubble));
  find("bubbles").lastElementChild?.scrollIntoView({ block: "end" });
}

function open(recipient) {
  who = recipient;
  shown = "";
  find("who").textContent = recipient;
  document.body.classList.add("reading");
  history.replaceState(null, "", `?to=${encodeURIComponent(recipient)}`);
  refresh();
}

async function refresh() {
  await Promise.all([drawThreads(), drawThread()]);
}

find("search").addEventListener("input", drawThreads);
find("back").addEventListener("click", () => {
  document.body.classList.remove("reading");
  history.replaceState(null, "", location.pathname);
});
async function tell(what, body) {
  const answer = await fetch(`/inbox/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  find("problem").textContent = answer.ok ? "" : (await answer.json()).error;
  refresh();
  return answer.ok;
}

find("reply").addEventListener("submit", async (event) => {
  event.preventDefault();
  const isSent = await tell("reply", { account, from: who, text: find("text").value });
  if (isSent) find("text").value = "";
});
for (const button of find("preferences").querySelectorAll("button")) {
  button.addEventListener("click", () =>
    tell("preference", { account: stopsAt, from: who, value: button.value }),
  );
}
if (who) open(who);
else refresh();
setInterval(refresh, 2000);
