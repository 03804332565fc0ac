// The accounts and steps: a table of which only the rows in view are made. One cell of it is in the tab order.

const ROW = 34; // pixels: see style.css
const SPARE = 8; // rows above and below those in view
const HEIGHTS = { danger: 14, failed: 14, check_failed: 12, withheld: 11, not_run: 11, not_seen: 10, held: 9, change: 9 };
const LOW = { check_pending: 6, changed: 6, in_sync: 3, skipped: 1.5, unread: 6, nowhere: 0 };
const [ACCOUNT, SINGLE] = [196, 96]; // widths of columns: see style.css
const BAR = 3; // pixels of a Region

const grid = { rows: [], from: -1, to: -1, row: 0, column: 0, all: false };
const drawn = new Map(); // the content of each cell, to be copied
const scroller = byId("scroll");
const body = byId("grid").tBodies[0];

function drawHead() {
  const heads = STEPS.map((step, at) =>
    make(
      "th",
      { scope: "col", role: "columnheader", "data-column": at + 1, tabindex: -1, title: step.needs.length ? `needs ${step.needs.join(", ")}` : null },
      make("span", {}, ...step.name.split("_").flatMap((part, index) => (index ? ["_", make("wbr"), part] : [part]))),
    ),
  );
  const first = make("th", { scope: "col", role: "columnheader", "data-column": 0, tabindex: -1 }, "Account");
  const line = make("tr", { role: "row", "aria-rowindex": 1 }, first, ...heads);
  byId("grid").tHead.append(line);
  byId("grid").tHead.setAttribute("role", "rowgroup");
  body.setAttribute("role", "rowgroup");
  byId("grid").setAttribute("aria-colcount", STEPS.length + 1);
  const columns = STEPS.map((step) => make("col", { class: step.regional ? "regional" : "single" }));
  byId("grid").querySelector("colgroup").append(make("col", { class: "account" }), ...columns);
  // Room for all columns of equal share, and for all bars of a cell.
  const wide = Math.max(96, DATA.regions.length * (BAR + 1) + 48);
  byId("grid").style.setProperty("--regional", `${wide}px`);
  byId("grid").style.minWidth = `${ACCOUNT + STEPS.reduce((sum, step) => sum + (step.regional ? wide : SINGLE), 0)}px`;
}

/** What a cell says, as text: `2 failed (eu-west-1, us-east-1), 15 in sync`. */
function cellText(cell, regional) {
  const { states, counts, worst } = cell;
  if (worst === "nowhere") return word("nowhere");
  if (!regional) return word(worst);
  return [...counts]
    .sort(([a], [b]) => RANK.get(a) - RANK.get(b))
    .map(([state, count]) => {
      const names = DATA.regions.filter((_, at) => states[at] === state);
      const few = state !== "in_sync" && names.length <= 5 ? ` (${names.join(", ")})` : "";
      return `${count} ${word(state)}${few}`;
    })
    .join(", ");
}

function cellContent(at, regional) {
  const key = regional ? at : `${at} once`;
  if (!drawn.has(key)) {
    const cell = CELLS[at];
    const part = document.createDocumentFragment();
    const shown = regional && cell.worst !== "in_sync" && cell.worst !== "nowhere";
    part.append(make("span", { class: "mark" }, mark(cell.worst)));
    if (shown) part.append(make("span", { class: "count" }, String(cell.counts.get(cell.worst))));
    if (regional && cell.worst !== "nowhere") part.append(bars(cell.states));
    else if (!regional && cell.worst !== "nowhere") part.append(make("span", { class: "word" }, word(cell.worst)));
    drawn.set(key, part);
  }
  return drawn.get(key).cloneNode(true);
}

function bars(states) {
  const paths = new Map();
  states.forEach((state, at) => {
    const height = HEIGHTS[state] ?? LOW[state];
    if (height) paths.set(state, `${paths.get(state) || ""}M${at * (BAR + 1)} 15h${BAR}v-${height}h-${BAR}z`);
  });
  const width = states.length * (BAR + 1);
  const shapes = [...paths].map(([state, d]) => make("svg:path", { class: `s-${state}`, d }));
  return make("svg:svg", { class: "bars", width, height: 16, viewBox: `0 0 ${width} 16`, "aria-hidden": "true" }, ...shapes);
}

function drawRow(account, at) {
  const named = account.at === ORGANIZATION ? ["Organization", "what exists once"] : [account.name || account.id, account.name ? account.id : ""];
  const head = make(
    "th",
    { scope: "row", role: "rowheader", class: `s-${worstOf(account)}`, tabindex: -1, "data-column": 0 },
    make("span", { class: "mark", "aria-hidden": "true" }, mark(worstOf(account))),
    make("span", { class: "whose" }, make("span", { class: "name" }, named[0]), make("span", { class: "id" }, named[1])),
    make("span", { class: "hidden" }, `, ${word(worstOf(account))}`),
  );
  const cells = STEPS.map((step, column) => {
    const cell = CELLS[account.cells[column]];
    const text = cellText(cell, step.regional);
    const label = cell.worst === "nowhere" ? word("nowhere") : text;
    const made = make("td", { role: "gridcell", class: `s-${cell.worst}`, tabindex: -1, "data-column": column + 1, "aria-label": label });
    made.append(cellContent(account.cells[column], step.regional));
    if (filter.account === account.at && (filter.step === column || filter.step < 0)) made.setAttribute("aria-selected", "true");
    else if (filter.account < 0 && filter.step === column) made.setAttribute("aria-selected", "true");
    return made;
  });
  if (filter.account === account.at && filter.step < 0) head.setAttribute("aria-selected", "true");
  return make("tr", { role: "row", "aria-rowindex": at + 2, "data-row": at }, head, ...cells);
}

const stateOf = (state) => ({ drifted: "change", failed: "failed", changed: "changed", in_sync: "in_sync", skipped: "skipped" })[state];

/** The worst of the account's state and the states of its cells. */
function worstOf(account) {
  const state = stateOf(account.state);
  return account.rank < RANK.get(state) ? [...RANK.keys()][account.rank] : state;
}

/** Make the rows in view. *force*: also if they are those that are there. */
function drawRows(force = false) {
  const total = grid.rows.length;
  const top = Math.floor(scroller.scrollTop / ROW);
  const from = grid.all ? 0 : Math.max(0, top - SPARE);
  const to = grid.all ? total : Math.min(total, top + Math.ceil(window.innerHeight / ROW) + SPARE);
  if (!force && from === grid.from && to === grid.to) return;
  const had = body.contains(document.activeElement);
  Object.assign(grid, { from, to });
  const space = (rows) => {
    if (!rows) return null;
    const made = make("tr", { class: "space", "aria-hidden": "true" }, make("td", { colspan: STEPS.length + 1 }));
    made.firstChild.style.height = `${rows * ROW}px`;
    return made;
  };
  const rows = grid.rows.slice(from, to).map((account, at) => drawRow(account, from + at));
  const none = total ? null : make("tr", { role: "row" }, make("td", { role: "gridcell", class: "none", colspan: STEPS.length + 1 }, "No account passes the filter."));
  body.replaceChildren(...[space(from), ...rows, space(total - to), none].filter(Boolean));
  const active = activate();
  if (had) (active || scroller).focus({ preventScroll: true });
}

/** Put the active cell, or else the first of the rows that are there, into the tab order. */
function activate() {
  byId("grid").querySelectorAll("[tabindex='0']").forEach((each) => each.setAttribute("tabindex", -1));
  const cell = cellAt(grid.row, grid.column);
  const first = cell || cellAt(grid.from, grid.column) || cellAt(-1, 0);
  if (first) first.setAttribute("tabindex", 0);
  return cell;
}

const cellAt = (row, column) =>
  row < 0
    ? byId("grid").tHead.querySelector(`[data-column="${column}"]`)
    : body.querySelector(`[data-row="${row}"] > [data-column="${column}"]`);

function setRows(rows) {
  grid.rows = rows;
  grid.row = Math.min(grid.row, Math.max(0, rows.length - 1));
  byId("grid").setAttribute("aria-rowcount", rows.length + 1);
  drawRows(true);
}

function moveTo(row, column) {
  grid.row = Math.max(-1, Math.min(grid.rows.length - 1, row));
  grid.column = Math.max(0, Math.min(STEPS.length, column));
  if (grid.row >= 0) {
    const top = grid.row * ROW;
    const head = byId("grid").tHead.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW > scroller.scrollTop + scroller.clientHeight - head)
      scroller.scrollTop = top + ROW + head - scroller.clientHeight;
    drawRows();
  }
  const cell = activate();
  if (!cell) return;
  cell.focus({ preventScroll: true });
  const left = cell.offsetLeft - byId("grid").querySelector("th").offsetWidth;
  if (grid.column && left < scroller.scrollLeft) scroller.scrollLeft = left;
  const right = cell.offsetLeft + cell.offsetWidth;
  if (right > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = right - scroller.clientWidth;
}

function onGridKey(event) {
  const { row, column } = grid;
  const page = Math.max(1, Math.floor(scroller.clientHeight / ROW) - 2);
  const end = event.ctrlKey || event.metaKey;
  const moves = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    PageUp: [Math.max(0, row - page), column],
    PageDown: [row + page, column],
    Home: [end ? 0 : row, 0],
    End: [end ? grid.rows.length - 1 : row, STEPS.length],
  };
  if (moves[event.key]) moveTo(...moves[event.key]);
  else if (event.key === "Enter" || event.key === " ") choose(row < 0 ? -1 : grid.rows[row].at, column - 1, -1);
  else return;
  event.preventDefault();
}

function onGridClick(event) {
  const cell = event.target.closest("[data-column]");
  if (!cell) return;
  const line = cell.closest("[data-row]");
  const column = Number(cell.dataset.column);
  const row = line ? Number(line.dataset.row) : -1;
  const drawing = event.target.closest("svg");
  let region = -1;
  if (drawing && line) {
    const x = event.clientX - drawing.getBoundingClientRect().left;
    region = Math.min(DATA.regions.length - 1, Math.max(0, Math.floor(x / (BAR + 1))));
  }
  Object.assign(grid, { row, column });
  choose(row < 0 ? -1 : grid.rows[row].at, column - 1, region);
  const now = activate();
  if (now) now.focus({ preventScroll: true });
}

function onGridPoint(event) {
  const cell = event.target.closest("td[data-column]");
  const line = cell && cell.closest("[data-row]");
  if (!line) return;
  const account = grid.rows[Number(line.dataset.row)];
  const step = STEPS[Number(cell.dataset.column) - 1];
  const whose = account.name ? `${account.name} ${account.id}` : account.id;
  byId("hover").textContent = `${whose}  ·  ${step.name}  ·  ${cell.getAttribute("aria-label")}`;
}
