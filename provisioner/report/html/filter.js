// What is shown: the words in the box, states of accounts, kinds of entries, and the chosen cell.

const filter = { words: [], kinds: new Set(), states: new Set(), account: -1, step: -1, region: -1 };

/** Whether each account and each Region has the word. */
function masks(term) {
  return {
    term,
    accounts: ACCOUNTS.map((each) => each.text.includes(term)),
    regions: DATA.regions.map((each) => each.includes(term)),
  };
}

/**
 * Call *found* with each account of an entry and its Regions that pass the filter. A word must be in the text of the
 * entry, in the account, or in the name of the Region. Without *chosen*, the chosen cell does not count.
 */
function eachPlace(entry, terms, chosen, found) {
  const left = terms.filter(({ term }) => !entry.text.includes(term));
  const only = chosen ? filter : { account: -1, region: -1 };
  for (const [regions, ranges] of entry.p) {
    for (let at = 0; at < ranges.length; at += 2) {
      for (let row = ranges[at]; row < ranges[at] + ranges[at + 1]; row += 1) {
        if (only.account >= 0 && row !== only.account) continue;
        if (filter.states.size && row >= 0 && !filter.states.has(ACCOUNTS[row].state)) continue;
        const open = left.filter(({ accounts }) => row < 0 || !accounts[row]);
        if (!open.length && only.region < 0) {
          found(row, regions);
          continue;
        }
        const kept = regions.filter(
          (each) =>
            (only.region < 0 || each < 0 || each === only.region) &&
            open.every((term) => each >= 0 && term.regions[each]),
        );
        if (kept.length) found(row, kept);
      }
    }
  }
}

/** The accounts and entries that pass: `{rows, entries: [{group, accounts, places, regions}], drifts}`. */
function select() {
  const terms = filter.words.map(masks);
  const narrows = terms.length || filter.kinds.size || filter.states.size;
  const seen = new Uint8Array(ACCOUNTS.length);
  const entries = [];
  for (const group of GROUPS) {
    if (filter.kinds.size && !filter.kinds.has(group.kind.name)) continue;
    if (narrows) eachPlace(group, terms, false, (row) => (seen[row] = 1));
    if (filter.step >= 0 && group.s !== filter.step && !(group.s < 0 && filter.account >= 0)) continue;
    let accounts = 0;
    let places = 0;
    const regions = new Set();
    eachPlace(group, terms, true, (_, where) => {
      accounts += 1;
      places += where.length;
      if (regions.size < DATA.regions.length) for (const each of where) if (each >= 0) regions.add(each);
    });
    if (accounts) entries.push({ group, accounts, places, regions });
  }
  const rows = ACCOUNTS.filter((each) => {
    if (!narrows || seen[each.at]) return true;
    if (filter.kinds.size || (filter.states.size && !filter.states.has(each.state))) return false;
    return terms.every(({ accounts }) => accounts[each.at]);
  });
  return { rows: sorted(rows), entries, drifts: selectDrifts(terms) };
}

function selectDrifts(terms) {
  const step = filter.step >= 0 ? STEPS[filter.step].name : null;
  return DRIFTS.filter((drift) => {
    if (step && drift.step !== step) return false;
    let any = drift.p.length === 0;
    eachPlace(drift, terms, true, () => (any = true));
    return any;
  });
}

const ORDERS = {
  state: (a, b) => a.rank - b.rank || b.bad - a.bad || a.at - b.at,
  id: (a, b) => a.at - b.at,
  name: (a, b) => (a.name || "~").localeCompare(b.name || "~") || a.at - b.at,
};

function sorted(rows) {
  const order = ORDERS[byId("order").value];
  return rows.sort((a, b) => (b.at === ORGANIZATION) - (a.at === ORGANIZATION) || order(a, b));
}

const filtered = () =>
  filter.words.length || filter.kinds.size || filter.states.size || chosen();
const chosen = () => filter.account >= 0 || filter.step >= 0 || filter.region >= 0;
