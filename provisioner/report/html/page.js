// Puts the page together, and applies the filter when it changes.

function drawTop() {
  const { head } = DATA;
  byId("command").textContent = head.command;
  byId("sandbox").hidden = !head.sandbox;
  const facts = [
    ["Account", head.account],
    ["Caller", head.caller],
    ["Made", head.made],
    ["Took", `${head.cost.seconds.toFixed(1)} s, ${plural(head.cost.calls, "call")}${head.cost.writes ? `, ${plural(head.cost.writes, "write")}` : ""}`],
    ["Plan", head.digest],
  ];
  byId("facts").append(...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  const [verdict, state] = findVerdict();
  byId("verdict").replaceChildren(make("span", { class: `mark s-${state}`, "aria-hidden": "true" }, mark(state)), ` ${verdict}`);
  byId("foot").textContent = `provision ${head.command}, ${head.made}. This page makes no request; what it shows is what the run found.`;
}

/** The sentence at the top, and the state whose mark stands before it. */
function findVerdict() {
  const found = new Map();
  for (const group of GROUPS) found.set(group.kind.name, (found.get(group.kind.name) || 0) + countPlaces(group));
  const bad = KINDS.filter((kind) => found.get(kind.name) && !QUIET.has(kind.name) && kind.name !== "changed");
  const made = found.get("changed");
  const good = DATA.head.command === "verify" ? "Everything works as the file says" : made ? `${plural(made, "change")} made, and AWS is as the file says` : "AWS is as the file says";
  if (!bad.length) return [good, made ? "changed" : "in_sync"];
  const parts = bad.map((kind) => plural(found.get(kind.name), kind.one, kind.many));
  if (made) parts.push(plural(made, "change made", "changes made"));
  return [parts.slice(0, 4).join(", "), bad[0].name];
}

function countPlaces(group) {
  let count = 0;
  for (const [regions, ranges] of group.p) for (let at = 1; at < ranges.length; at += 2) count += regions.length * ranges[at];
  return count;
}

/** A button that adds *value* to the filter, and takes it away again. */
function toggle(values, value, ...content) {
  const button = make("button", { type: "button", "aria-pressed": "false", click: () => {
    if (!values.delete(value)) values.add(value);
    apply();
  } }, ...content);
  button.refresh = () => button.setAttribute("aria-pressed", String(values.has(value)));
  return button;
}

const toggles = [];

function drawTotals() {
  const words = { failed: "failed", drifted: "differ", changed: "changed", in_sync: "in sync", skipped: "skipped" };
  const tiles = Object.entries(words).map(([state, text]) => {
    const count = DATA.head.accounts[state];
    const button = toggle(
      filter.states,
      state,
      make("span", { class: "mark", "aria-hidden": "true" }, mark(stateOf(state))),
      make("span", { class: "big" }, number(count)),
      make("span", { class: "small" }, `${count === 1 ? "account" : "accounts"} ${text === "differ" && count === 1 ? "differs" : text}`),
    );
    toggles.push(button);
    return make("li", { class: `s-${count ? stateOf(state) : "nowhere"}` }, button);
  });
  const total = Object.values(DATA.head.accounts).reduce((sum, each) => sum + each, 0);
  const share = make("svg:svg", { class: "share", viewBox: "0 0 1000 8", preserveAspectRatio: "none", "aria-hidden": "true" });
  let x = 0;
  for (const state of Object.keys(words)) {
    const width = total ? (DATA.head.accounts[state] / total) * 1000 : 0;
    share.append(make("svg:rect", { class: `s-${stateOf(state)}`, x, y: 0, width, height: 8 }));
    x += width;
  }
  byId("totals").append(...tiles);
  byId("totals").after(share);
  const counts = new Map();
  for (const group of GROUPS) counts.set(group.kind.name, (counts.get(group.kind.name) || 0) + countPlaces(group));
  for (const kind of KINDS.filter((each) => counts.get(each.name))) {
    const chip = toggle(filter.kinds, kind.name, make("span", { class: "mark", "aria-hidden": "true" }, kind.mark), ` ${plural(counts.get(kind.name), kind.one, kind.many)}`);
    chip.className = `chip s-${kind.name}`;
    toggles.push(chip);
    byId("chips").append(chip);
  }
}

function drawLegend() {
  const used = new Set(CELLS.flatMap((cell) => [...cell.counts.keys()]));
  const items = [...RANK.keys()].filter((state) => used.has(state));
  byId("legend").append(...items.map((state) => make("li", { class: `s-${state}` }, make("span", { class: "mark", "aria-hidden": "true" }, mark(state)), bars([state]), word(state))));
}

/** Filter by an account, a step or both; the same choice again takes it back. */
function choose(account, step, region) {
  if (account < 0 && step < 0) return;
  const same = filter.account === account && filter.step === step && filter.region === region;
  Object.assign(filter, same ? { account: -1, step: -1, region: -1 } : { account, step, region });
  apply();
}

function drawChosen() {
  const box = byId("chosen");
  box.hidden = !chosen();
  if (!chosen()) return;
  const account = filter.account >= 0 ? ACCOUNTS[filter.account] : null;
  const step = filter.step >= 0 ? STEPS[filter.step] : null;
  const title = [account && (account.name ? `${account.name} ${account.id}`.trim() : account.id), step && step.name, filter.region >= 0 && DATA.regions[filter.region]].filter(Boolean).join(" · ");
  const parts = [make("p", { class: "title" }, title), make("button", { type: "button", click: () => choose(filter.account, filter.step, filter.region) }, "Show all")];
  if (account && step && step.regional) {
    const { states } = CELLS[account.cells[filter.step]];
    const regions = DATA.regions.map((name, at) => [name, at, states[at]]).filter(([, , state]) => state !== "nowhere");
    const buttons = regions.map(([name, at, state]) =>
      make("li", {}, make("button", { type: "button", class: `chip s-${state}`, "aria-pressed": String(filter.region === at), click: () => chooseRegion(at) }, make("span", { class: "mark", "aria-hidden": "true" }, mark(state)), ` ${name} `, make("span", { class: "word" }, word(state)))),
    );
    parts.push(make("ul", { "aria-label": "Regions" }, ...buttons));
  }
  box.replaceChildren(...parts);
}

function chooseRegion(region) {
  filter.region = filter.region === region ? -1 : region;
  apply();
  const again = byId("chosen").querySelectorAll("li button");
  const names = CELLS[ACCOUNTS[filter.account].cells[filter.step]].states.map((state, at) => [state, at]).filter(([state]) => state !== "nowhere");
  const place = names.findIndex(([, at]) => at === region);
  if (again[place]) again[place].focus({ preventScroll: true });
}

let telling = 0;

function apply() {
  const { rows, entries, drifts } = select();
  Object.assign(shown, { entries, drifts, entriesTo: FIRST, driftsTo: DRIFTS_FIRST });
  setRows(rows);
  drawChosen();
  drawEntries();
  if (DRIFTS.length) drawDrifts();
  for (const each of toggles) each.refresh();
  byId("clear").disabled = !filtered();
  const accounts = rows.filter((each) => each.at !== ORGANIZATION).length;
  const text = filtered()
    ? `${number(accounts)} of ${plural(ACCOUNTS.length - 1, "account")}, ${number(entries.length)} of ${plural(GROUPS.length, "entry", "entries")}`
    : `${plural(ACCOUNTS.length - 1, "account")}, ${plural(GROUPS.length, "entry", "entries")}`;
  clearTimeout(telling);
  telling = setTimeout(() => (byId("live").textContent = text), 150); // a reader is told once, after the last key
}

function clearFilter() {
  byId("find").value = "";
  filter.words = [];
  filter.kinds.clear();
  filter.states.clear();
  Object.assign(filter, { account: -1, step: -1, region: -1 });
  apply();
}

function listen() {
  byId("find").addEventListener("input", () => {
    filter.words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    scroller.scrollTop = 0;
    apply();
  });
  byId("order").addEventListener("change", apply);
  byId("clear").addEventListener("click", () => {
    clearFilter();
    byId("find").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      byId("find").focus();
    } else if (event.key === "Escape" && filtered()) clearFilter();
  });
  byId("grid").addEventListener("keydown", onGridKey);
  byId("grid").addEventListener("click", onGridClick);
  byId("grid").addEventListener("mouseover", onGridPoint);
  byId("grid").addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-column]");
    const line = cell && cell.closest("[data-row]");
    if (cell) Object.assign(grid, { row: line ? Number(line.dataset.row) : -1, column: Number(cell.dataset.column) });
    onGridPoint(event);
  });
  scroller.addEventListener("scroll", () => requestAnimationFrame(() => drawRows()), { passive: true });
  window.addEventListener("resize", () => drawRows());
  byId("more").addEventListener("click", () => {
    shown.entriesTo += NEXT;
    drawEntries();
  });
  byId("more-drifts").addEventListener("click", () => {
    shown.driftsTo += NEXT;
    drawDrifts();
  });
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
}

/** On paper all rows are there and all entries are open; of very many accounts and entries the first. */
function print(on) {
  const [accounts, entries] = [400, 150];
  grid.all = on;
  shown.openAll = on;
  const { rows } = select();
  const kept = on ? rows.slice(0, accounts) : rows;
  setRows(kept);
  if (rows.length > kept.length) {
    byId("hover").textContent = `${number(rows.length - kept.length)} more accounts are not printed: filter the page to print them.`;
  }
  byId("hover").classList.toggle("printed", rows.length > kept.length);
  shown.entriesTo = on ? entries : FIRST;
  drawEntries();
  for (const each of document.querySelectorAll("main > section > details")) each.open = on;
}

drawTop();
drawTotals();
drawLegend();
drawHead();
listen();
byId("history").hidden = !DRIFTS.length && !DATA.runs.length;
drawRuns();
apply();
document.documentElement.dataset.ready = "true";
