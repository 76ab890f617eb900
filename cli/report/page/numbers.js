// SPDX-License-Identifier: MIT
// What the rows come to in a window, and which of them are shown.

// --- the numbers of a window

const full = () => state.from === 0 && state.to === N;
const seconds = () => full() ? data.seconds : (state.to - state.from) * data.width / 1000;

function sumRange(list) {
  let sum = 0;
  for (let i = state.from; i < state.to; i++) sum += list[i];
  return sum;
}

// Adds a row's cells of some columns to `into`, a list of PLACES counts.
function addCells(row, from, to, into) {
  for (let i = from; i < to; i++) {
    const cell = row.cells[i];
    if (cell) for (let k = 1; k < cell.length; k++) into[cell[0] + k - 1] += cell[k];
  }
  return into;
}
function middle(place) {
  return data.scale[place][0] / 2 + data.scale[place][1] / 2;
}
function percentile(cells, count, p) {
  let sum = 0;
  const rank = Math.max(1, Math.ceil(p * count));
  for (let k = 0; k < PLACES; k++) {
    sum += cells[k];
    if (sum >= rank) return middle(k);
  }
  return undefined;
}

// Count, rate and, from the cells, the rest. Of the whole recording: what weir counted exactly.
function numbers(rows) {
  const one = rows.length === 1 ? rows[0] : null;
  let count = 0;
  for (const row of rows) count += full() ? row.count : sumRange(row.counts);
  const out = { count, rate: seconds() > 0 ? count / seconds() : 0 };
  if (!HIST || !count) return out;
  if (one && full()) return Object.assign(out, { mean: one.mean, p50: one.p50, p90: one.p90, p99: one.p99, max: one.max });
  const cells = new Float64Array(PLACES);
  let mean = 0, max = -Infinity;
  for (const row of rows) {
    addCells(row, state.from, state.to, cells);
    for (let i = state.from; i < state.to; i++) {
      if (!row.counts[i]) continue;
      mean += row.means[i] * (row.counts[i] / count);
      max = Math.max(max, row.maxima[i]);
    }
  }
  out.mean = mean;
  out.max = max;
  for (const [name, p] of [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]]) out[name] = Math.min(percentile(cells, count, p), max);
  return out;
}

// p99 column by column, once for each row. Of fewer than 100 events it would be their maximum, so up
// to four neighbours on each side are taken in until there are as many.
const overTime = new Map();
function p99s(row) {
  if (overTime.has(row)) return overTime.get(row);
  const out = new Float64Array(N).fill(NaN);
  for (let i = 0; i < N; i++) {
    if (!row.counts[i]) continue;
    let from = i, to = i + 1, count = row.counts[i], max = row.maxima[i];
    for (let k = 1; k <= 4 && count < 100; k++) {
      for (const n of [i - k, i + k]) {
        if (n < 0 || n >= N || !row.counts[n]) continue;
        count += row.counts[n];
        max = Math.max(max, row.maxima[n]);
        from = Math.min(from, n);
        to = Math.max(to, n + 1);
      }
    }
    out[i] = Math.min(percentile(addCells(row, from, to, new Float64Array(PLACES)), count, 0.99), max);
  }
  overTime.set(row, out);
  return out;
}

// Several rows as one: for the map, where only columns of the sum are needed.
let sum = { of: null }; // the last one, so that its p99 is not computed at each move of the pointer
function merged(rows) {
  if (rows.length === 1) return rows[0];
  const of = rows.map(idOf).join("\n");
  if (sum.of !== of) {
    overTime.delete(sum.row);
    sum = { of, row: merge(rows) };
  }
  return sum.row;
}
function merge(rows) {
  const out = { counts: new Float64Array(N), maxima: new Float64Array(N).fill(-Infinity), cells: [] };
  for (let i = 0; i < N; i++) {
    const cells = new Float64Array(PLACES);
    for (const row of rows) {
      if (!row.counts[i]) continue;
      out.counts[i] += row.counts[i];
      if (!HIST) continue;
      out.maxima[i] = Math.max(out.maxima[i], row.maxima[i]);
      addCells(row, i, i + 1, cells);
    }
    out.cells.push(out.counts[i] && HIST ? [0, ...cells] : 0);
  }
  return out;
}

// --- rows

const OTHERS = "others";
const nameOf = row => row.key === null
  ? `(${whole(data.othersKeys)}${data.beyond ? "+" : ""} other ${data.by ? "values" : "probes"})` : row.key || '""';
const idOf = row => row.key === null ? OTHERS : "k" + row.key;

function matches(text) {
  return text.toLowerCase().includes(state.search.toLowerCase());
}
// Rows that fit the search. If no key does but a probe's name, all do: then it chose probes.
function visible() {
  const rows = data.rows.filter(row => !state.search || matches(nameOf(row)));
  return rows.length || !data.probes.some(p => p.name && matches(p.name)) ? rows : data.rows;
}
function sorted(rows) {
  const list = rows.map(row => ({ row, n: numbers([row]) }));
  const sign = state.down ? -1 : 1;
  list.sort((a, b) => {
    if (state.sort === "key") return sign * -nameOf(a.row).localeCompare(nameOf(b.row));
    const x = a.n[state.sort], y = b.n[state.sort];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * (x - y) || nameOf(a.row).localeCompare(nameOf(b.row));
  });
  return list;
}
function chosen() {
  const rows = visible();
  const row = rows.find(r => idOf(r) === state.key);
  return row ? [row] : rows;
}
