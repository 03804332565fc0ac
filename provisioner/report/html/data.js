"use strict";
// The data of the page, unpacked, and what makes elements. Texts of AWS are only ever set as text, never as HTML.

const DATA = JSON.parse(document.getElementById("data").textContent);
const ORGANIZATION = 0; // the row of what exists once
const KINDS = DATA.kinds.map(([name, one, many, mark]) => ({ name, one, many, mark }));
const STEPS = DATA.steps.map(([name, scope, needs, regional]) => ({ name, scope, needs, regional }));
const RANK = new Map(Object.values(DATA.states).map((state, number) => [state, number]));
const QUIET = new Set(["note", "check_passed", "skipped"]);

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many || `${one}s`}`;
const word = (state) => DATA.words[state][0];
const mark = (state) => DATA.words[state][1];

/** A time of the journal, to the minute. */
const when = (time) => time.replace("T", " ").replace(/^(.{16}).*$/, "$1 UTC");

/** Make an element. Attributes that are null are left out; a function listens to the event of that name. */
function make(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined));
  return made;
}

/** A template with the account and the Region in place of its placeholders, where there is one of them. */
function fill(template, account, region) {
  return template.replace(/\$\$|\$\{(account_id|region)\}/g, (found, name) => {
    if (found === "$$") return "$";
    return (name === "account_id" ? account : region) || found;
  });
}

const ACCOUNTS = DATA.accounts.map(([id, name, state, seconds, row], at) => ({
  at,
  id,
  name: at === ORGANIZATION ? "Organization" : name,
  state,
  seconds,
  cells: DATA.rows[row],
  text: (at === ORGANIZATION ? "organization" : `${id} ${name}`).toLowerCase(),
}));

/** The states in a cell: one for each Region of a regional step, else one. */
const CELLS = DATA.cells.map((letters) => {
  const states = [...letters].map((letter) => DATA.states[letter]);
  const counts = new Map();
  for (const state of states) if (state !== "nowhere") counts.set(state, (counts.get(state) || 0) + 1);
  const worst = states.reduce((a, b) => (RANK.get(b) < RANK.get(a) ? b : a));
  return { states, counts, worst };
});

for (const account of ACCOUNTS) {
  account.rank = Math.min(...account.cells.map((cell) => RANK.get(CELLS[cell].worst)), 99);
  account.bad = account.cells.reduce((sum, cell) => {
    const { counts, worst } = CELLS[cell];
    return sum + (worst === "in_sync" || worst === "nowhere" ? 0 : counts.get(worst));
  }, 0);
}

const actorText = (actor) => (actor < 0 ? "" : DATA.actors[actor].join(" "));

const GROUPS = DATA.groups.map((found, at) => {
  const parts = [found.t, ...found.d, found.c || "", found.o || "", (STEPS[found.s] || { name: "" }).name];
  for (const field of found.f || []) parts.push(...field);
  for (const [name, lines] of found.x || []) parts.push(name, ...lines);
  for (const [actor] of found.w || []) parts.push(actorText(actor));
  parts.push(...(found.in || []), KINDS[found.k].one, KINDS[found.k].name);
  const text = parts.join("\n").toLowerCase().replaceAll("$$", "$");
  return { ...found, at, text, kind: KINDS[found.k] };
});

const DRIFTS = DATA.history.map((found) => {
  const [time, state, since, repairs, contested, actor, pending, step, resource, fields, why, elsewhere, places] =
    found;
  const text = [step, resource, ...fields, why, elsewhere, state, time, actorText(actor)].join("\n").toLowerCase();
  return { time, state, since, repairs, contested, actor, pending, step, resource, fields, why, elsewhere, p: places, text };
});
