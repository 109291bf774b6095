// Keeps the mentor's queue up to date: the server tells that something changed, the list is fetched and put in place.
"use strict";
(() => {
  const queue = document.getElementById("queue");
  const news = document.getElementById("queue-news");
  const offline = document.getElementById("queue-offline");
  const title = document.title;
  let fetching = false;
  let again = false;

  function show() {
    const count = document.getElementById("queue-count");
    const open = Number(count.dataset.open);
    document.title = open ? `(${open}) ${title}` : title;
    return count.textContent.trim();
  }

  async function refresh() {
    // Changes that come while one list is under way are answered by one more list.
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const answer = await fetch(queue.dataset.list, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 404) { location.reload(); return; }
      if (answer.ok) {
        const focused = document.activeElement && queue.contains(document.activeElement) ? document.activeElement.id : "";
        const before = new Set(Array.from(queue.querySelectorAll(".case a"), (link) => link.id));
        queue.innerHTML = await answer.text();
        for (const link of queue.querySelectorAll(".case a")) {
          if (!before.has(link.id)) link.parentElement.classList.add("new");
        }
        if (focused) document.getElementById(focused)?.focus();
        const count = show();
        const sentence = news.dataset.changed.replace("%s", count);
        if (news.textContent !== sentence) news.textContent = sentence;
      }
    } finally {
      fetching = false;
      if (again) { again = false; refresh(); }
    }
  }

  show();
  const stream = new EventSource(queue.dataset.stream);
  let last = queue.dataset.revision;
  stream.addEventListener("revision", (event) => {
    offline.hidden = true;
    if (last !== event.data) refresh();
    last = event.data;
  });
  stream.addEventListener("open", () => { offline.hidden = true; });
  stream.addEventListener("error", () => { offline.hidden = false; });
  // Ages ("wacht 3 minuten") move on without a change in the queue.
  setInterval(refresh, 60000);
})();
