"use strict";
(() => {
  const body = document.body;
  const say = body.dataset;
  const at = (id) => document.getElementById(id);
  const made = window.trustedTypes
    ? window.trustedTypes.createPolicy("review", { createHTML: (html) => html })
    : { createHTML: (html) => html };

  let filters = new URLSearchParams({ show: "open" });
  let item = null;
  let ahead = null;
  let whole = true;
  let busy = false;

  // --- speaking with the server -------------------------------------------------------------------------------------

  const ask = async (address, options = {}) => {
    let answer;
    try {
      answer = await fetch(address, { cache: "no-store", credentials: "same-origin", redirect: "error", ...options });
    } catch {
      throw new Error(say.sayGone);
    }
    if (answer.ok) return answer;
    let told = {};
    try {
      told = await answer.json();
    } catch {
      told = {};
    }
    const error = new Error(told.problem || say.sayGone);
    error.again = told.again === true;
    throw error;
  };
  const send = (address, value, more = {}) => ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Review": say.csrf },
    body: JSON.stringify(value),
    ...more,
  });
  const tell = (text) => { at("problem").textContent = ""; at("said").textContent = text; };
  const complain = (text) => { at("said").textContent = ""; at("problem").textContent = text; };

  // --- pictures: asked for one by one, kept in memory only, and for how long they are visible ------------------------

  let step = -1;
  let beside = 0;
  let addresses = [];
  let since = null;
  let waiting = 0;
  let total = 0;
  let asked = 0;

  const count = () => {
    const now = performance.now();
    if (since !== null) { waiting += (now - since) / 1000; total += (now - since) / 1000; }
    since = addresses.length && document.visibilityState === "visible" ? now : null;
  };
  const unsent = () => { count(); const seconds = waiting; waiting = 0; return seconds; };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const showClock = () => {
    count();
    at("visible").textContent = total >= 1 ? `· ${say.sayVisible.replace("TIME", clock(total))}` : "";
  };
  setInterval(() => { if (addresses.length) showClock(); }, 1000);
  document.addEventListener("visibilitychange", count);
  addEventListener("pagehide", () => {
    const seconds = unsent();
    if (seconds > 0.05) send("visible", { visible: seconds }, { keepalive: true }).catch(() => {});
  });

  const hide = () => {
    asked += 1;
    count();
    for (const id of ["picture", "beside"]) at(id).removeAttribute("src");
    addresses.forEach((address) => URL.revokeObjectURL(address));
    addresses = [];
    since = null;
    step = -1;
    beside = 0;
    at("looking").hidden = true;
    at("other").hidden = true;
    at("slide").hidden = true;
    at("hide").disabled = true;
    at("looking").classList.remove("over");
    showClock();
  };
  const fetched = async (view, wanted) => {
    const answer = await send("picture", { file: item.file, view, step: wanted });
    return URL.createObjectURL(await answer.blob());
  };
  const show = async (wanted, other) => {
    if (!item || !item.views || !item.views.length) return;
    const mine = (asked += 1);
    const last = Number(say.steps) - 1;
    const now = Math.max(0, Math.min(wanted, last));
    step = now; // at once, so that the next key goes on from here while the picture is still being made
    beside = other;
    try {
      const got = [await fetched(0, now)];
      if (other) got.push(await fetched(other, now));
      if (mine !== asked) { got.forEach((address) => URL.revokeObjectURL(address)); return; }
      count();
      addresses.forEach((address) => URL.revokeObjectURL(address));
      addresses = got;
      at("picture").src = got[0];
      at("picture").alt = item.views[0].label;
      const over = Boolean(other) && item.views[other].over;
      at("picture-name").textContent = over ? `${item.views[0].label} · ${item.views[other].label}` : item.views[0].label;
      at("other").hidden = !other;
      at("slide").hidden = !over;
      at("looking").classList.toggle("over", over);
      if (other) {
        at("beside").src = got[1];
        at("beside").alt = item.views[other].label;
        at("beside-name").textContent = item.views[other].label;
        slide();
      }
      if (at("looking").hidden) scrollTo(0, 0);
      at("looking").hidden = false;
      at("hide").disabled = false;
      count();
      tell(say.sayStep.replace("STEPS", last + 1).replace("STEP", now + 1) + (now === last ? ` ${say.sayLast}` : ""));
    } catch (error) {
      complain(error.message);
    }
  };
  const slide = () => {
    const over = at("looking").classList.contains("over");
    const share = Number(at("slider").value);
    at("beside").style.clipPath = over ? `inset(0 ${100 - share}% 0 0)` : "";
  };
  at("slider").addEventListener("input", slide);

  // --- items --------------------------------------------------------------------------------------------------------

  const wanted = async (more) => {
    const given = new URLSearchParams(filters);
    Object.entries(more).forEach(([name, value]) => given.set(name, value));
    return (await ask(`item?${given}`)).json();
  };
  const look = () => {
    ahead = null;
    if (item.number === null) return;
    const number = item.number + 1;
    const kept = wanted({ at: number });
    kept.catch(() => {});
    ahead = { number, kept };
  };
  const leave = (files) => {
    at("left").textContent = say.sayLeft.replace("FILES", files.toLocaleString(document.documentElement.lang));
  };
  const place = (found) => {
    hide();
    item = found;
    whole = Boolean(item.contents) && !item.differ;
    at("item").innerHTML = made.createHTML(item.html);
    at("item").dataset.number = item.number === null ? "end" : item.number;
    leave(item.left);
    at("note").value = "";
    const nothing = item.number === null || !item.contents.length;
    document.querySelectorAll("#decisions [data-decision], #note").forEach((part) => { part.disabled = nothing; });
    const views = item.views ? item.views.length : 0;
    at("show").disabled = views === 0;
    at("beside-button").hidden = views < 2;
    scope();
    const title = at("item-title");
    title?.focus({ preventScroll: true });
    scrollTo(0, 0);
    look();
  };
  const scope = () => {
    const many = item.contents ? item.contents.length : 0;
    at("scope").hidden = many < 2;
    at("scope").textContent = (whole ? say.sayWhole : say.sayOne).replace("FILES", many);
    at("scope").setAttribute("aria-pressed", String(whole));
  };
  const go = async (more) => {
    try {
      place(await wanted(more));
    } catch (error) {
      complain(error.message);
    }
  };
  const next = async () => {
    if (!item || item.number === null) return;
    try {
      const number = item.number + 1;
      place(ahead && ahead.number === number ? await ahead.kept : await wanted({ at: number }));
    } catch (error) {
      complain(error.message);
    }
  };
  const again = (number) => go(number === null ? { at: 0 } : { at: number, exact: 1 });
  const back = () => {
    if (!item) return undefined;
    if (item.number === null) return go({ at: latest, exact: 1 });
    latest = Math.max(0, item.number - 1);
    return item.number > 0 ? go({ at: item.number - 1, exact: 1 }) : undefined;
  };

  // --- decisions ----------------------------------------------------------------------------------------------------

  const acts = [];
  let latest = 0;
  const about = () => (whole ? item.contents : item.contents.slice(0, 1));
  const earlier = (contents) => Object.fromEntries(contents.map((each) => [each, item.earlier[each]]));
  const once = async (call) => {
    if (busy) return;
    busy = true;
    try {
      await call();
    } catch (error) {
      complain(error.message);
      if (error.again) { await again(item.number); complain(error.message); }
    } finally {
      busy = false;
    }
  };
  const decide = (decision) => once(async () => {
    if (!item || item.number === null || !item.contents.length) return;
    const contents = about();
    const number = item.number;
    const given = { contents, earlier: earlier(contents), decision, note: at("note").value, visible: unsent() };
    const { left } = await (await send(`decide?${filters}`, given)).json();
    acts.push(number);
    latest = number;
    if (contents.length < item.contents.length) await again(number); else await next();
    leave(left); // what was asked for ahead does not count this decision
    tell(say.saySaved);
  });
  const setAside = (codes) => once(async () => {
    const contents = about();
    await send(`decide?${filters}`, {
      contents, earlier: earlier(contents), note: at("note").value, visible: unsent(), ...codes,
    });
    acts.push(item.number);
    await again(item.number);
    tell(say.saySaved);
  });
  const undo = () => once(async () => {
    const told = await (await send("undo", {})).json();
    if (!told.contents.length) { tell(say.sayNothing); return; }
    const number = acts.pop();
    if (number !== undefined) await again(number);
    tell(say.sayUndone);
  });
  const nextFinding = () => {
    const buttons = [...document.querySelectorAll("#item .aside button")];
    if (!buttons.length) return;
    buttons[(buttons.indexOf(document.activeElement) + 1) % buttons.length].focus();
  };

  const does = {
    next: () => once(next),
    back: () => once(async () => { await back(); }),
    undo,
    show: () => show(step + 1, beside),
    hide: () => { hide(); tell(say.sayHidden); },
    beside: () => show(Math.max(step, 0), item && item.views ? (beside + 1) % item.views.length : 0),
    scope: () => { if (item.contents && item.contents.length > 1) { whole = !whole; scope(); tell(at("scope").textContent); } },
    fresh: () => go({ at: 0, fresh: 1 }),
    note: () => at("note").focus(),
    filters: () => { narrow.open = true; at("filters").elements[0].focus(); },
    finding: nextFinding,
  };
  const keys = {
    n: does.next, ArrowRight: does.next, b: does.back, ArrowLeft: does.back, u: does.undo, v: does.show, h: does.hide,
    c: does.beside, a: does.scope, e: does.note, f: does.filters, x: does.finding,
  };
  document.querySelectorAll("[data-decision]").forEach((part) => {
    keys[part.getAttribute("aria-keyshortcuts")] = () => decide(part.dataset.decision);
  });

  document.addEventListener("click", (event) => {
    const part = event.target.closest("button");
    if (!part) return;
    if (part.dataset.decision) decide(part.dataset.decision);
    else if (part.dataset.dismiss) setAside({ dismiss: [part.dataset.dismiss] });
    else if (part.dataset.restore) setAside({ restore: [part.dataset.restore] });
    else if (part.dataset.person) onlyPerson(part.dataset.person);
    else if (part.dataset.do) does[part.dataset.do]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || at("pause").open) return;
    if (event.key === "Escape") {
      if (narrow.contains(document.activeElement)) { narrow.open = false; at("item-title")?.focus(); }
      else if (document.activeElement === at("note")) at("item-title")?.focus();
      else does.hide();
      return;
    }
    const typing = event.target.closest("input, textarea, select");
    if (typing || !at("with-keys").checked || event.repeat) return;
    const call = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (call) { event.preventDefault(); call(); }
  });
  const narrow = at("filters").closest("details");
  const chosen = () => {  // stands in the closed bar, so that nobody takes a part of the case for all of it
    const parts = [...at("filters").elements].filter((part) => part.name && part.value && (part.type !== "checkbox" || part.checked));
    const words = parts.map((part) => (part.selectedOptions ? part.selectedOptions[0].text
      : part.type === "checkbox" ? part.closest("label").textContent.trim() : part.value));
    at("chosen").textContent = words.length ? `· ${words.join(" · ")}` : "";
  };
  const filter = () => {
    narrow.open = false;
    chosen();
    filters = new URLSearchParams(new FormData(at("filters")));
    acts.length = 0;
    tell("");
    return go({ at: 0, fresh: 1 });
  };
  let choices = null;  // people and lists take long to gather in a large case, and most never ask for them
  const gather = () => {
    choices ??= ask("choices").then((answer) => answer.text()).then((html) => {
      at("more-choices").innerHTML = made.createHTML(html);
    }).catch((error) => { choices = null; complain(error.message); });
    return choices;
  };
  narrow.addEventListener("toggle", () => { if (narrow.open) gather(); });
  const onlyPerson = async (number) => {
    await gather();
    const choice = at("filters").elements.person;
    if (choice) choice.value = number;
    return filter();
  };
  at("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });

  // --- a break ------------------------------------------------------------------------------------------------------

  const every = Number(say.breakEvery) * 60_000;
  const pause = () => {
    hide();
    at("pause-visible").textContent = total >= 1 ? say.sayVisible.replace("TIME", clock(total)) : "";
    at("pause").showModal();
  };
  if (every) {
    let timer = setTimeout(pause, every);
    at("pause").addEventListener("close", () => { clearTimeout(timer); timer = setTimeout(pause, every); });
  }

  chosen();
  go({ at: 0 });
})();
