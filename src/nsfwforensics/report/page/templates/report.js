"use strict";
(() => {
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.print-open:not([open])")];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => {
    opened.forEach((part) => { part.open = false; });
    opened = [];
  });

  const list = document.querySelector("ol.files");
  if (!list) return;
  document.querySelectorAll(".needs-script").forEach((part) => { part.hidden = false; });
  const files = [...list.children];
  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" }).compare;
  const box = (id) => document.getElementById(id);
  const name = box("by-name"), priority = box("by-priority"), question = box("by-question"), decision = box("by-decision");
  const shown = box("shown"), order = box("order");

  const filter = () => {
    const words = name.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const file of files) {
      const data = file.dataset;
      const text = words.length ? data.name.toLowerCase() : "";
      file.hidden = !(
        words.every((word) => text.includes(word))
        && (!priority.value || data.priority === priority.value)
        && (!question.value || data.signs.split(" ").includes(question.value))
        && (!decision || !decision.value || (data.decision || "undecided") === decision.value)
      );
      count += !file.hidden;
    }
    shown.textContent = shown.dataset.template.replace("{shown}", count).replace("{all}", files.length);
  };
  let waiting = 0;
  name.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  [priority, question, decision].forEach((part) => part && part.addEventListener("change", filter));
  order.addEventListener("change", () => {
    const sorted = [...files];
    if (order.value === "name") sorted.sort((a, b) => compare(a.dataset.name, b.dataset.name));
    if (order.value === "size") sorted.sort((a, b) => b.dataset.size - a.dataset.size);
    list.append(...sorted);
  });
  filter();

  list.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || !event.target.matches("details.file > summary, .row h3 a")) return;
    const open = [...list.children].filter((file) => !file.hidden).map((file) => file.querySelector("details.file > summary, .row h3 a")).filter(Boolean);
    const to = Math.min(open.length - 1, Math.max(0, open.indexOf(event.target) + steps[event.key]));
    event.preventDefault();
    open[to].focus();
  });
})();
