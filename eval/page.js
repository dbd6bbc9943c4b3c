"use strict";
// Sort and filter the list of sentences; without script it stands there whole, the most confident first.
(() => {
  const list = document.querySelector("#sentences");
  if (!list) return;
  const items = [...list.children];
  const filter = document.querySelector("#filter");
  const sort = document.querySelector("#sort");
  const count = document.querySelector("#count");
  const by = {
    "most": (a, b) => b.dataset.confidence - a.dataset.confidence,
    "least": (a, b) => a.dataset.confidence - b.dataset.confidence,
    "id": (a, b) => a.dataset.id.localeCompare(b.dataset.id, "en", { numeric: true }),
  };
  function update() {
    items.sort(by[sort.value]);
    let shown = 0;
    for (const item of items) {
      item.hidden = !item.dataset.kind.startsWith(filter.value);
      // On paper: the first 25 of what is chosen.
      item.classList.toggle("paper", !item.hidden && shown < 25);
      shown += item.hidden ? 0 : 1;
    }
    list.append(...items);
    count.textContent = `${shown} of ${items.length} shown`;
  }
  filter.addEventListener("change", update);
  sort.addEventListener("change", update);
  for (const link of document.querySelectorAll("a[data-filter]")) {
    link.addEventListener("click", () => { filter.value = link.dataset.filter; update(); });
  }
  // Read on with j, back with k: the focus moves through what is shown.
  document.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const shown = items.filter((item) => !item.hidden);
    const next = shown[Math.max(0, shown.indexOf(document.activeElement) + step)];
    if (next) { next.focus({ preventScroll: true }); next.scrollIntoView({ block: "start" }); }
  });
  update();
})();
