// What was found: a list of entries whose details are made when one is opened, and the drifts of the journal.

const FIRST = 60;
const NEXT = 200;
const OPENED = 8; // entries that are open at first
const NAMED = 30; // accounts that an entry names before the list is asked for
const LINES = 8; // sets of Regions that it names before that
const DRIFTS_FIRST = 20;

const shown = { entries: [], drifts: [], entriesTo: FIRST, driftsTo: DRIFTS_FIRST, openAll: false };

function drawEntries() {
  const box = byId("entries");
  const parts = [];
  let kind = null;
  shown.entries.slice(0, shown.entriesTo).forEach((entry, at) => {
    if (entry.group.kind !== kind) {
      kind = entry.group.kind;
      const all = shown.entries.filter((each) => each.group.kind === kind);
      const count = all.reduce((sum, each) => sum + each.places, 0);
      parts.push(make("h3", { class: `s-${kind.name}` }, make("span", { class: "mark", "aria-hidden": "true" }, kind.mark), ` ${plural(count, kind.one, kind.many)}`));
    }
    const open = shown.openAll || (at < OPENED && (!QUIET.has(kind.name) || chosen()));
    parts.push(drawEntry(entry, open));
  });
  if (!parts.length) parts.push(make("p", { class: "none" }, filtered() ? "Nothing passes the filter." : "Nothing differs and nothing failed."));
  box.replaceChildren(...parts);
  const left = shown.entries.length - shown.entriesTo;
  byId("more").hidden = left <= 0;
  byId("more").textContent = `Show ${number(Math.min(left, NEXT))} of ${number(left)} more`;
}

function placeText({ group, accounts, places, regions }) {
  let whose = plural(accounts, "account");
  if (accounts === 1) {
    const row = firstRow(group);
    whose = row === ORGANIZATION ? (group.in || []).join(", ") || "organization" : named(row);
  }
  if (!regions.size) return whose;
  const where = regions.size === 1 ? DATA.regions[[...regions][0]] : plural(regions.size, "Region");
  const uneven = places !== accounts * regions.size && accounts > 1 ? ` (${plural(places, "place")})` : "";
  return `${whose}, ${where}${uneven}`;
}

const named = (row) => (ACCOUNTS[row].name ? `${ACCOUNTS[row].name} ${ACCOUNTS[row].id}` : ACCOUNTS[row].id);

function firstRow(group) {
  let first = -1;
  eachPlace(group, filter.words.map(masks), true, (row) => (first = first < 0 ? row : first));
  return first;
}

function drawEntry(entry, open) {
  const { group } = entry;
  const text = filler(entry);
  const step = group.s >= 0 ? STEPS[group.s].name : group.o || "";
  const made = make(
    "details",
    { class: `entry s-${group.kind.name}`, toggle: () => made.open && drawBody(made, entry, text) },
    make(
      "summary",
      {},
      make("span", { class: "mark", title: group.kind.one }, group.kind.mark),
      step ? make("span", { class: "step" }, step) : null,
      make("span", { class: "title" }, text(group.t)),
      group.q ? make("span", { class: "badge contested" }, "contested") : null,
      make("span", { class: "where" }, placeText(entry)),
    ),
  );
  if (open) {
    made.open = true;
    drawBody(made, entry, text);
  }
  return made;
}

/** Fills in templates where the entry is in one account or Region. */
function filler({ group, accounts, regions }) {
  const row = accounts === 1 ? firstRow(group) : -1;
  const account = row > 0 ? ACCOUNTS[row].id : "";
  const region = regions.size === 1 ? DATA.regions[[...regions][0]] : "";
  return (template) => fill(template, account, region);
}

function drawBody(made, entry, text) {
  if (made.children.length > 1) return;
  const { group } = entry;
  const parts = group.d.map((line) => drawLine(text(line)));
  if (group.f && group.f.length) parts.push(drawFields(group, text));
  for (const [name, lines] of group.x || []) parts.push(drawDocument(text(name), lines.map(text)));
  const facts = [];
  if (group.c) facts.push(["Request", make("code", {}, group.c)]);
  if (group.n) facts.push(["Since", when(group.n)]);
  for (const [actor, count] of group.w || []) facts.push(["Who", drawActor(actor, entry.places > 1 ? ` (${plural(count, "place")})` : "")]);
  facts.push(["Where", drawPlaces(entry)]);
  if (group.i) facts.push(["Request ids", drawIds(entry)]);
  parts.push(make("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
  made.append(make("div", { class: "body" }, ...parts));
}

function drawLine(line) {
  const kind = line.startsWith("hint: ") ? "hint" : line.startsWith("needs --allow ") || line.startsWith("held: ") ? "loss" : "text";
  return make("p", { class: kind }, line);
}

function drawFields(group, text) {
  const created = group.a === "create" && group.f.every(([, have]) => have === "(none)");
  const heads = created ? ["Field", "In the file"] : ["Field", "In AWS", "In the file"];
  const lines = group.f.map(([name, have, want]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, text(name)),
      created ? null : make("td", { class: "old" }, make("span", { class: "sign", "aria-hidden": "true" }, "−"), text(have)),
      make("td", { class: "new" }, make("span", { class: "sign", "aria-hidden": "true" }, "+"), text(want)),
    ),
  );
  const head = make("thead", {}, make("tr", {}, ...heads.map((each) => make("th", { scope: "col" }, each))));
  return make("table", { class: "fields" }, head, make("tbody", {}, ...lines));
}

function drawDocument(name, lines) {
  const kinds = { "+": "add", "-": "drop" };
  const parts = lines.map((line) => make("span", { class: kinds[line[0]] || "same" }, `${line}\n`));
  const code = make("pre", { class: "diff", tabindex: 0, role: "region", "aria-label": `Difference of ${name}` }, ...parts);
  return make("figure", {}, make("figcaption", {}, name), code);
}

function drawActor(at, more) {
  const [name, time, event, id, source, agent] = DATA.actors[at];
  const parts = [make("strong", {}, name), event ? ` by ${event}` : "", time ? `, ${when(time)}` : "", source ? `, from ${source}` : "", more];
  const rest = [agent, id && `event ${id}`].filter(Boolean).join(", ");
  if (rest) parts.push(make("span", { class: "agent" }, rest));
  return make("div", {}, ...parts);
}

function drawPlaces(entry) {
  const lines = new Map();
  eachPlace(entry.group, filter.words.map(masks), true, (row, regions) => {
    const where = regions.filter((each) => each >= 0).map((each) => DATA.regions[each]).join(", ");
    if (!lines.has(where)) lines.set(where, []);
    lines.get(where).push(row === ORGANIZATION ? (entry.group.in || ["organization"]).join(", ") : row < 0 ? "" : named(row));
  });
  const box = make("div", {});
  const parts = [...lines].sort(([, a], [, b]) => b.length - a.length).map(([where, whose]) => {
    const line = make("p", {}, where ? make("span", { class: "regions" }, `${where}: `) : "", whose.slice(0, NAMED).join(", "));
    if (whose.length > NAMED) {
      const rest = ` and ${number(whose.length - NAMED)} more`;
      const all = make("button", { type: "button", class: "link", click: () => all.replaceWith(`, ${whose.slice(NAMED).join(", ")}`) }, rest);
      line.append(all);
    }
    return line;
  });
  box.append(...parts.slice(0, LINES));
  const rest = parts.slice(LINES);
  if (rest.length) {
    const more = make("button", { type: "button", class: "link", click: () => more.replaceWith(...rest) }, `and ${plural(rest.length, "more set", "more sets")} of Regions`);
    box.append(more);
  }
  return box;
}

function drawIds({ group }) {
  const places = new Set();
  eachPlace(group, filter.words.map(masks), true, (row, regions) => {
    for (const each of regions) places.add(`${row === ORGANIZATION ? "" : ACCOUNTS[row].id} ${each < 0 ? "" : DATA.regions[each]}`);
  });
  const here = ([account, region]) => places.has(`${account} ${region}`) || places.has(` ${region}`);
  const all = group.i.filter(here).map(([account, region, id]) => `${account} ${region} ${id}`);
  const box = make("div", { class: "ids" }, all.slice(0, 3).join(", "));
  if (all.length > 3) {
    const more = make("button", { type: "button", class: "link", click: () => more.replaceWith(`, ${all.slice(3).join(", ")}`) }, ` and ${number(all.length - 3)} more`);
    box.append(more);
  }
  return box;
}

const DRIFT_STATES = { drifted: "change", repaired: "changed", not_seen: "not_seen", failed: "failed", withheld: "withheld", held: "held" };
const DRIFT_WORDS = { ...Object.fromEntries(Object.entries(DRIFT_STATES).map(([a, b]) => [a, b])), drifted: "differed", repaired: "repaired", not_seen: "not shown yet", failed: "failed", withheld: "not allowed", held: "held" };

function drawDrifts() {
  const lines = shown.drifts.slice(0, shown.driftsTo).map((drift) => {
    const state = DRIFT_STATES[drift.state] || "change";
    const places = drift.p.reduce((sum, [regions, ranges]) => sum + regions.length * ranges.reduce((all, each, at) => all + (at % 2 ? each : 0), 0), 0);
    const row = drift.p.length === 1 && drift.p[0][1].length === 2 && drift.p[0][1][1] === 1 ? drift.p[0][1][0] : -1;
    const region = drift.p.length === 1 && drift.p[0][0].length === 1 && drift.p[0][0][0] >= 0 ? DATA.regions[drift.p[0][0][0]] : "";
    const where = drift.elsewhere || (row >= 0 ? `${named(row)} ${region}` : plural(places, "place"));
    const text = (template) => fill(template, row >= 0 ? ACCOUNTS[row].id : "", region);
    const who = drift.actor >= 0 ? drawActor(drift.actor, "") : drift.pending ? "CloudTrail does not show it yet" : "";
    const notes = [drift.contested ? `contested, repaired ${drift.repairs} times in 24 hours` : "", drift.why ? text(drift.why) : ""].filter(Boolean);
    return make(
      "tr",
      {},
      make("td", { class: "time" }, when(drift.time)),
      make("td", { class: `state s-${state}` }, make("span", { class: "mark", "aria-hidden": "true" }, mark(state)), ` ${DRIFT_WORDS[drift.state] || drift.state}`),
      make("td", {}, make("code", {}, drift.step), " ", text(drift.resource), make("div", { class: "agent" }, drift.fields.map(text).join(", ")), ...notes.map((each) => make("div", { class: "loss" }, each))),
      make("td", {}, where),
      make("td", { class: "time" }, when(drift.since)),
      make("td", {}, who),
    );
  });
  const none = make("tr", {}, make("td", { colspan: 6, class: "none" }, "Nothing passes the filter."));
  byId("drifts").replaceChildren(...(lines.length ? lines : [none]));
  const left = shown.drifts.length - shown.driftsTo;
  byId("more-drifts").hidden = left <= 0;
  byId("more-drifts").textContent = `Show ${number(Math.min(left, NEXT))} of ${number(left)} more`;
  const old = DATA.head.drifts_left_out ? `; ${number(DATA.head.drifts_left_out)} older ones are in the journal only` : "";
  byId("history-about").textContent = `${plural(shown.drifts.length, "line")} from the journal, newest first; equal ones of a run are one line${old}.`;
}

function drawRuns() {
  const lines = [...DATA.runs].reverse().slice(0, 500).map(([, started, ended, command, caller, code, message, paused]) =>
    make(
      "tr",
      {},
      make("td", { class: "time" }, when(started)),
      make("td", {}, command),
      make("td", {}, code === "" ? "did not end" : code),
      make("td", {}, message, paused ? make("div", { class: "loss" }, `paused: ${paused}`) : null),
      make("td", { class: "agent" }, caller),
    ),
  );
  byId("runs").replaceChildren(...lines);
}
