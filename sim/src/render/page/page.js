"use strict";
(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const by = id => document.getElementById(id);
  const [tools, count, copy, replay] = ["tools", "count", "copy", "replay"].map(by);

  if (copy && replay) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(replay.textContent);
      } catch {
        getSelection().selectAllChildren(replay);
        document.execCommand("copy");
      }
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
  }
  if (!tools) return;
  tools.hidden = false;
  tools.addEventListener("submit", event => event.preventDefault());

  const rows = all(".row");
  const filters = all("select[data-by]");
  const keys = { call: "c", node: "n", method: "m" };
  const filter = () => {
    const wanted = filters.filter(select => select.value !== "").map(select => [keys[select.dataset.by], select.value]);
    let shown = 0;
    for (const row of rows) {
      const fits = ([key, value]) => (key === "n" ? (row.dataset.n ?? "").split(" ").includes(value) : row.dataset[key] === value);
      row.hidden = !row.classList.contains("breach") && !wanted.every(fits);
      shown += row.hidden ? 0 : 1;
    }
    for (const more of all(".more")) {
      more.hidden = ![...more.querySelectorAll(".row")].some(row => !row.hidden);
      if (wanted.length > 0 && !more.hidden && shown < 500) more.open = true;
    }
    count.textContent = wanted.length > 0 ? `${shown} of ${rows.length} rows` : "";
  };
  filters.forEach(select => select.addEventListener("change", filter));

  let last = null;
  const reveal = row => {
    for (let outer = row.parentElement; outer; outer = outer.parentElement) if (outer.tagName === "DETAILS") outer.open = true;
  };
  const step = by => {
    const messages = rows.filter(row => row.tagName === "DETAILS" && !row.hidden);
    if (messages.length === 0) return;
    const here = messages.indexOf(document.activeElement?.closest(".row") ?? last);
    const from = here >= 0 ? here : messages.indexOf(last);
    const next = messages[Math.min(messages.length - 1, Math.max(0, from < 0 ? 0 : from + by))];
    if (last && last !== next) last.open = false;
    reveal(next);
    next.open = true;
    last = next;
    next.firstElementChild.focus({ preventScroll: true });
    next.scrollIntoView({ block: "center" });
    count.textContent = `${messages.indexOf(next) + 1} of ${messages.length}`;
  };
  by("step").addEventListener("click", () => step(1));
  by("back").addEventListener("click", () => step(-1));
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "Escape") rows.forEach(row => row.tagName === "DETAILS" && (row.open = false));
    else if (event.key === "b" && by("broken")) {
      reveal(by("broken"));
      by("broken").scrollIntoView({ block: "center" });
    } else return;
    event.preventDefault();
  });
  const jump = () => {
    const row = location.hash.length > 1 && by(location.hash.slice(1));
    if (!row) return;
    reveal(row);
    if (row.tagName === "DETAILS") row.open = true;
    row.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", jump);
  jump();
})();
