// The inbox page: polls what came in and draws it with text nodes only.
const find = (id) => document.getElementById(id);
const TICKS = { accepted: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "✕ failed" };
let who = new URLSearchParams(location.search).get("to") || "";
let shown = "";
let account = "";

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
    const frame = element("iframe");
    frame.setAttribute("sandbox", "");
    frame.title = said.subject;
    frame.src = `/inbox/mail/${said.id}`;
    row.append(frame);
  } else {
    if (said.header) row.append(element("strong", "", said.header));
    row.append(element("span", "", said.body));
    if (said.footer) row.append(element("small", "foot", said.footer));
  }
  const when = new Date(said.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const foot = element("small", "", `${when} `);
  if (said.state !== "inbound") {
    const ticks = element("span", "ticks", TICKS[said.state]);
    ticks.title = said.state;
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
  account = said.findLast((one) => one.provider !== "msg91")?.account || "";
  find("reply").hidden = !account;
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
find("reply").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/inbox/reply", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ account, from: who, text: find("text").value }),
  });
  find("problem").textContent = answer.ok ? "" : (await answer.json()).error;
  if (answer.ok) find("text").value = "";
  refresh();
});
if (who) open(who);
else refresh();
setInterval(refresh, 2000);
