// SPDX-License-Identifier: MIT
// What is on the page follows from three things: the data, a window of columns, and a choice of row,
// sort order and search. draw() shows them; everything else changes them.
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const HIST = data.hist !== null;
const N = data.columns;
const PLACES = data.scale.length;
const LEFT = 58; // of every plot: where time begins
const RIGHT = 10;

const state = { from: 0, to: N, key: undefined, sort: HIST ? "p99" : "count", down: true, search: "" };

// --- numbers and times as text

// What the field's name says of its unit: seconds, if it is a time, so that 73000 ms are 73 s.
const UNITS = { ns: 1e-9, nsec: 1e-9, us: 1e-6, usec: 1e-6, ms: 1e-3, msec: 1e-3, s: 1, sec: 1, seconds: 1 };
const unit = HIST ? UNITS[(data.hist.match(/[A-Za-z]+$/) || [""])[0]] : undefined;

function short(v) {
  if (v === undefined || v === null || Number.isNaN(v)) return "–";
  const m = Math.abs(v);
  if (m === 0) return "0";
  if (m >= 1e15 || m < 1e-4) return v.toExponential(2);
  if (m >= 1e12) return trim(v / 1e12) + " T";
  if (m >= 1e9) return trim(v / 1e9) + " G";
  if (m >= 1e6) return trim(v / 1e6) + " M";
  if (m >= 1e4) return trim(v / 1e3) + " k";
  return trim(v);
}
function trim(v) {
  return String(Number(v.toPrecision(3)));
}
function duration(s) {
  const m = Math.abs(s);
  if (m === 0) return "0";
  if (m < 1e-6) return trim(s * 1e9) + " ns";
  if (m < 1e-3) return trim(s * 1e6) + " µs";
  if (m < 1) return trim(s * 1e3) + " ms";
  if (m < 120) return trim(s) + " s";
  return m < 7200 ? trim(s / 60) + " min" : m < 172800 ? trim(s / 3600) + " h" : short(s / 86400) + " days";
}
const value = v => unit && Number.isFinite(v) ? duration(v * unit) : short(v);
const whole = v => Math.round(v).toLocaleString("en").replace(/,/g, "\u202f");

function two(n, width = 2) {
  return String(n).padStart(width, "0");
}
function clock(ms, step) {
  const t = new Date(ms);
  const base = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
  if (step >= 1000) return base;
  const digits = step >= 100 ? 1 : step >= 10 ? 2 : step >= 1 ? 3 : 6;
  const rest = ((ms % 1000) + 1000) % 1000;
  return base + "." + (rest / 1000).toFixed(digits).slice(2);
}
function span(ms) {
  if (ms < 1) return trim(ms * 1000) + " µs";
  if (ms < 1000) return trim(ms) + " ms";
  if (ms < 120e3) return trim(ms / 1000) + " s";
  if (ms < 7200e3) return `${Math.floor(ms / 60e3)} min ${Math.round(ms % 60e3 / 1000)} s`;
  return `${Math.floor(ms / 3600e3)} h ${Math.round(ms % 3600e3 / 60e3)} min`;
}
const timeOf = column => data.start + column * data.width;
const label = column => clock(timeOf(column), data.width);

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
  return (data.scale[place][0] + data.scale[place][1]) / 2;
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
  let sum = 0, max = -Infinity;
  for (const row of rows) {
    addCells(row, state.from, state.to, cells);
    for (let i = state.from; i < state.to; i++) {
      sum += row.sums[i];
      if (row.counts[i]) max = Math.max(max, row.maxima[i]);
    }
  }
  out.mean = sum / count;
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

// --- colours, from the style sheet, so that both themes are in one place

let colours;
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const get = name => style.getPropertyValue(name).trim();
  const rgb = name => get(name).split(",").map(Number);
  colours = { ink: get("--ink"), soft: get("--soft"), line: get("--line"), accent: get("--accent"), bad: get("--bad"),
              panel: get("--panel"), paper: get("--paper"), warm: get("--warm"), series: get("--series").split(/\s+/),
              cold: rgb("--cold"), hot: rgb("--hot"), slowLow: rgb("--slow-low"), slowHigh: rgb("--slow-high"),
              font: getComputedStyle(document.body).fontFamily };
}
function mix(a, b, share) {
  return `rgb(${a.map((x, i) => Math.round(x + (b[i] - x) * share)).join(",")})`;
}

// --- drawing

// A canvas for its size on this screen; [context, width, height] in CSS pixels.
function plot(canvas) {
  const box = canvas.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
  const w = Math.round(box.width), h = Math.round(box.height);
  canvas.width = Math.round(w * scale);
  canvas.height = Math.round(h * scale);
  const c = canvas.getContext("2d");
  c.scale(scale, scale);
  c.font = `11px ${colours.font}`;
  c.textBaseline = "middle";
  return [c, w, h];
}
const inner = width => Math.max(width - LEFT - RIGHT, 1);
const xOf = (column, width) => LEFT + (column - state.from) / (state.to - state.from) * inner(width);

function ticks(width) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5,
                 72e5, 216e5, 432e5, 864e5];
  const ms = (state.to - state.from) * data.width, most = Math.max(2, inner(width) / 110);
  let step = steps.find(s => ms / s <= most);
  if (ms < 2) step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find(s => ms / s <= most) || step;
  if (!step) step = Math.ceil(ms / most / 864e5) * 864e5;
  const zone = step >= 36e5 ? new Date(data.start).getTimezoneOffset() * 60e3 : 0;
  const out = [];
  for (let t = Math.ceil((timeOf(state.from) - zone) / step) * step + zone; t <= timeOf(state.to); t += step) out.push(t);
  return { step, out };
}
function drawTimeAxis(c, w, h, y) {
  const { step, out } = ticks(w);
  c.fillStyle = colours.soft;
  c.strokeStyle = colours.line;
  for (const t of out) {
    const x = xOf((t - data.start) / data.width, w);
    c.beginPath();
    c.moveTo(x, 0);
    c.lineTo(x, y);
    c.stroke();
    const text = clock(t, step), half = c.measureText(text).width / 2;
    c.textAlign = "center";
    c.fillText(text, Math.min(Math.max(x, half), w - half), y + 10);
  }
}
// Round numbers up to `most`, at most four.
function steps(most) {
  const raw = most / 4, ten = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(f => f * ten).find(s => s >= raw * 0.999) || ten;
  const out = [];
  for (let v = step; v <= most * 1.0001; v += step) out.push(v);
  return out;
}

const seriesColour = i => colours.series[Math.min(i, colours.series.length - 1)];

// Probes whose name fits the search, or all if none does.
function shownProbes() {
  const some = data.probes.filter(p => p.name && state.search && matches(p.name));
  return some.length ? some : data.probes;
}

function drawTimeline() {
  const [c, w, h] = plot($("timeline")), bottom = h - 20, top = 14;
  const probes = shownProbes();
  const totals = [];
  for (let i = state.from; i < state.to; i++) totals.push(probes.reduce((s, p) => s + p.counts[i], 0));
  const most = Math.max(1, ...totals), y = v => bottom - v / most * (bottom - top);
  drawTimeAxis(c, w, h, bottom);
  for (const v of steps(most / (data.width / 1000))) {
    const at = y(v * data.width / 1000);
    c.strokeStyle = colours.line;
    c.beginPath();
    c.moveTo(LEFT, at);
    c.lineTo(w - RIGHT, at);
    c.stroke();
    c.fillStyle = colours.soft;
    c.textAlign = "right";
    c.fillText(short(v) + "/s", LEFT - 6, at);
  }
  const below = new Float64Array(state.to - state.from);
  probes.forEach(p => {
    c.fillStyle = seriesColour(data.probes.indexOf(p));
    for (let i = state.from; i < state.to; i++) {
      const from = below[i - state.from], to = from + p.counts[i];
      const x = xOf(i, w), gap = xOf(i + 1, w) - x > 4 ? 1 : 0;
      if (to > from) c.fillRect(x, y(to), xOf(i + 1, w) - x - gap + (gap ? 0 : 0.5), y(from) - y(to));
      below[i - state.from] = to;
    }
  });
  c.fillStyle = colours.bad;
  for (let i = state.from; i < state.to; i++) {
    if (data.lostAt[i] > 0) c.fillRect(xOf(i, w), 0, Math.max(xOf(i + 1, w) - xOf(i, w), 2), 7);
  }
  drawMarks(c, w, bottom);
  const n = probes.reduce((s, p) => s + sumRange(p.counts), 0);
  $("timeline").setAttribute("aria-label", `Events per second from ${label(state.from)} to ${label(state.to)}: ` +
    `${whole(n)} events, at most ${short(most / (data.width / 1000))} per second, ${whole(sumRange(data.lostAt))} lost`);
}

function drawOverview() {
  const [c, w, h] = plot($("overview"));
  const x = i => LEFT + i / N * inner(w);
  let most = 1;
  const totals = Array.from({ length: N }, (_, i) => data.probes.reduce((s, p) => s + p.counts[i], 0));
  for (const t of totals) most = Math.max(most, t);
  c.fillStyle = colours.soft;
  totals.forEach((t, i) => c.fillRect(x(i), h - t / most * (h - 4), Math.max(x(i + 1) - x(i), 0.6), t / most * (h - 4)));
  c.fillStyle = colours.bad;
  data.lostAt.forEach((n, i) => n > 0 && c.fillRect(x(i), 0, Math.max(x(i + 1) - x(i), 2), 3));
  c.fillStyle = colours.panel;
  c.globalAlpha = 0.72;
  c.fillRect(LEFT, 0, x(state.from) - LEFT, h);
  c.fillRect(x(state.to), 0, x(N) - x(state.to), h);
  c.globalAlpha = 1;
  c.strokeStyle = colours.accent;
  c.lineWidth = 1.5;
  c.strokeRect(x(state.from) + 0.75, 0.75, Math.max(x(state.to) - x(state.from) - 1.5, 2), h - 1.5);
}

// Places that have anything, of all rows: the map keeps its scale from row to row.
const used = (() => {
  const sum = new Float64Array(PLACES);
  if (HIST) for (const row of data.rows) addCells(row, 0, N, sum);
  let low = 0, high = PLACES;
  while (low < high && !sum[low]) low++;
  while (high > low && !sum[high - 1]) high--;
  return { low, high: Math.max(high, low + 1) };
})();
// Few places would be a map of a few broad bands.
const bands = () => Math.max(used.high - used.low, 12);
const placeY = (place, bottom) => bottom - (place - used.low) / bands() * (bottom - 6);
// Where a value lies, as a fraction of a place.
function placeOf(v) {
  for (let k = 0; k < PLACES; k++) {
    const [low, high] = data.scale[k];
    if (v < high || k === PLACES - 1 || (low === high && v === low)) return k + (high > low ? Math.min(Math.max((v - low) / (high - low), 0), 1) : 0.5);
  }
  return 0;
}

let heat; // what the pointer asks about: { row, bottom }
function drawHeat() {
  const [c, w, h] = plot($("heat")), bottom = h - 20;
  const rows = chosen(), row = merged(rows);
  heat = { row, bottom };
  c.fillStyle = mix(colours.cold, colours.hot, 0);
  c.globalAlpha = 0.35;
  c.fillRect(LEFT, 6, inner(w), bottom - 6);
  c.globalAlpha = 1;
  let most = 1;
  for (let i = state.from; i < state.to; i++) if (row.cells[i]) for (let k = 1; k < row.cells[i].length; k++) most = Math.max(most, row.cells[i][k]);
  for (let i = state.from; i < state.to; i++) {
    const cell = row.cells[i];
    if (!cell) continue;
    const x = xOf(i, w), width = xOf(i + 1, w) - x + 0.4;
    for (let k = 1; k < cell.length; k++) {
      if (!cell[k]) continue;
      const place = cell[0] + k - 1, y = placeY(place + 1, bottom);
      c.fillStyle = mix(colours.cold, colours.hot, 0.12 + 0.88 * Math.log(1 + cell[k]) / Math.log(1 + most));
      c.fillRect(x, y, width, placeY(place, bottom) - y + 0.4);
    }
  }
  drawTimeAxis(c, w, h, bottom);
  drawValueAxis(c, bottom);
  if (rows.length) drawLine(c, w, bottom, p99s(row));
  drawMarks(c, w, bottom);
  drawRamp(most);
  const n = numbers(rows);
  const who = rows.length === 1 ? nameOf(rows[0]) : `${state.search ? "matching" : "all"} ${data.by || "probes"}`;
  $("how-title").textContent = `${data.hist} of ${who}`;
  $("heat").setAttribute("aria-label", `Heat map of ${data.hist} of ${who} over time: ${whole(n.count)} events, median ${value(n.p50)}, p99 ${value(n.p99)}`);
}
function drawLine(c, w, bottom, p99) {
  c.strokeStyle = colours.warm;
  c.lineWidth = 1.5;
  c.beginPath();
  let down = false;
  for (let i = state.from; i < state.to; i++) {
    if (Number.isNaN(p99[i])) {
      down = false;
      continue;
    }
    const y = placeY(placeOf(p99[i]), bottom);
    if (down) c.lineTo(xOf(i, w), y);
    else c.moveTo(xOf(i, w), y);
    c.lineTo(xOf(i + 1, w), y);
    down = true;
  }
  c.stroke();
  c.lineWidth = 1;
}
// A label at every few places, on the values where powers of ten (or their halves) lie.
function drawValueAxis(c, bottom) {
  c.textAlign = "right";
  c.fillStyle = colours.soft;
  const marks = [];
  const [low] = data.scale[used.low], high = data.scale[used.high - 1][1];
  for (let e = -20; e <= 20; e++) for (const f of [1, 2, 5]) {
    for (const v of [f * 10 ** e, -f * 10 ** e]) if (v >= low && v <= high) marks.push({ v, rank: f === 1 ? 0 : 1 });
  }
  if (low <= 0 && high >= 0) marks.push({ v: 0, rank: -1 });
  const taken = [];
  marks.sort((a, b) => a.rank - b.rank);
  for (const { v } of marks) {
    const y = placeY(placeOf(v), bottom);
    if (y < 8 || y > bottom || taken.some(t => Math.abs(t - y) < 15)) continue;
    taken.push(y);
    c.fillText(value(v), LEFT - 6, y);
  }
  if (!taken.length) c.fillText(value(middle(used.low)), LEFT - 6, bottom - 8);
}
function drawRamp(most) {
  const canvas = document.createElement("canvas");
  const node = $("ramp");
  node.replaceChildren("1", canvas, `${short(most)} event${most > 1 ? "s" : ""} a cell · `);
  const line = document.createElement("span");
  line.style.color = colours.warm;
  line.textContent = "— p99";
  node.append(line);
  const [c, w, h] = plot(canvas);
  for (let x = 0; x < w; x++) {
    c.fillStyle = mix(colours.cold, colours.hot, 0.12 + 0.88 * x / w);
    c.fillRect(x, 0, 1.5, h);
  }
}
function drawHistogram() {
  const [c, w, h] = plot($("histogram")), bottom = h - 20;
  const cells = new Float64Array(PLACES), rows = chosen();
  for (const row of rows) addCells(row, state.from, state.to, cells);
  const most = Math.max(1, ...cells), n = numbers(rows), left = 8, room = w - left - 42;
  c.fillStyle = mix(colours.cold, colours.hot, 0.62);
  for (let k = used.low; k < used.high; k++) {
    if (!cells[k]) continue;
    const y = placeY(k + 1, bottom), height = placeY(k, bottom) - y;
    c.fillRect(left, y, Math.max(cells[k] / most * room, 1), Math.max(height - (height > 3 ? 1 : 0), 0.8));
  }
  c.textAlign = "left";
  let last = Infinity;
  for (const [name, text] of [["p50", "p50"], ["p90", "p90"], ["p99", "p99"]]) {
    if (n[name] === undefined) continue;
    const y = placeY(placeOf(n[name]), bottom);
    c.strokeStyle = name === "p99" ? colours.warm : colours.soft;
    c.beginPath();
    c.moveTo(left, y);
    c.lineTo(w - 38, y);
    c.stroke();
    if (last - y < 11) continue;
    last = y;
    c.fillStyle = name === "p99" ? colours.warm : colours.soft;
    c.fillText(text, w - 34, y);
  }
  c.fillStyle = colours.soft;
  c.fillText(`${whole(n.count)} events`, left, bottom + 10);
  $("histogram").setAttribute("aria-label", `Histogram: p50 ${value(n.p50)}, p90 ${value(n.p90)}, p99 ${value(n.p99)}`);
}

// --- the table

const COLUMNS = [["key", data.by || "probe"], ["count", "count"], ["rate", "per s"]].concat(
  HIST ? ["mean", "p50", "p90", "p99", "max"].map(n => [n, n]) : []);

function makeHead() {
  const tr = document.querySelector("#table thead tr");
  for (const [id, text] of COLUMNS) {
    const th = document.createElement("th"), button = document.createElement("button");
    th.scope = "col";
    th.dataset.column = id;
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      state.down = state.sort === id ? !state.down : id !== "key";
      state.sort = id;
      draw();
    });
    th.append(button);
    tr.append(th);
  }
  const th = document.createElement("th"), text = document.createElement("span");
  th.className = "strip";
  text.textContent = HIST ? "p99 over time: red is slow" : "events over time";
  th.append(text);
  tr.append(th);
}
function markHits(cell, text) {
  const at = state.search ? text.toLowerCase().indexOf(state.search.toLowerCase()) : -1;
  if (at < 0) {
    cell.textContent = text;
    return;
  }
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + state.search.length);
  cell.append(text.slice(0, at), mark, text.slice(at + state.search.length));
}
function addRow(body, id, text, n, row) {
  const tr = document.createElement("tr");
  tr.dataset.id = id;
  tr.tabIndex = -1;
  for (const [column] of COLUMNS) {
    const td = document.createElement("td");
    td.className = column;
    if (column === "key") {
      if (row) markHits(td, text);
      else td.textContent = text;
      td.title = text;
    } else {
      td.textContent = column === "count" ? whole(n.count) : column === "rate" ? short(n.rate) : value(n[column]);
      if (n[column] !== undefined) td.dataset.value = n[column];
    }
    tr.append(td);
  }
  const td = document.createElement("td");
  td.className = "strip";
  if (row) td.append(document.createElement("canvas"));
  tr.append(td);
  tr.addEventListener("click", () => choose(id, true));
  body.append(tr);
}
function drawTable() {
  const body = document.querySelector("#table tbody"), rows = visible(), list = sorted(rows);
  const focused = body.contains(document.activeElement);
  body.replaceChildren();
  if (rows.length > 1) addRow(body, "", state.search ? `all ${rows.length} that match` : `all ${rows.length} rows`, numbers(rows), null);
  for (const { row, n } of list) addRow(body, idOf(row), nameOf(row), n, row);
  body.querySelectorAll("tr").forEach(tr => { if (!tr.dataset.id) tr.className = "sum"; });
  if (!rows.length) {
    const tr = body.insertRow(), td = tr.insertCell();
    td.className = "none";
    td.colSpan = COLUMNS.length + 1;
    td.textContent = state.search ? `Nothing here is called “${state.search}”. Esc clears the search.` : "No events.";
  }
  const now = selectedRow();
  for (const tr of body.rows) tr.setAttribute("aria-selected", tr === now);
  if (now) now.tabIndex = 0;
  if (focused && now) now.focus({ preventScroll: true });
  for (const th of document.querySelectorAll("#table th[data-column]")) {
    if (th.dataset.column === state.sort) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else th.removeAttribute("aria-sort");
  }
  drawStrips(list);
  $("found").textContent = state.search ? `${rows.length} of ${data.rows.length}` : "";
  if (HIST) $("precision").textContent = precision();
}
function precision() {
  const more = data.othersKeys ? `The most frequent${HIST ? " and the slowest" : ""} of ${whole(data.keys)}${data.beyond ? "+" : ""} values have a row of their own; the rest is summed up. ` : "";
  const without = data.without ? ` ${whole(data.without)} events of probes without ${[data.by, data.hist].filter(Boolean).join(" and ")} are on the timeline only.` : "";
  return more + (full() ? "Percentiles are within 3%."
    : `A column is ${span(data.width)} wide. In this window count, mean and max are exact, percentiles within ${trim(100 * Math.max(data.error, 0.03))}%.`) + without;
}
// A strip for each row: one scale for all of them, so that what is slow, and when, stands out.
function drawStrips(list) {
  const seen = list.map(({ row }) => HIST ? p99s(row) : row.counts);
  let low = Infinity, high = -Infinity;
  const level = v => HIST ? placeOf(v) : Math.log(1 + v);
  const levels = seen.map(values => {
    const out = new Float64Array(N).fill(NaN);
    for (let i = state.from; i < state.to; i++) {
      if (Number.isNaN(values[i]) || (!HIST && !values[i])) continue;
      out[i] = level(values[i]);
      low = Math.min(low, out[i]);
      high = Math.max(high, out[i]);
    }
    return out;
  });
  const canvases = document.querySelectorAll("#table td.strip canvas");
  levels.forEach((values, r) => {
    const [c, w, h] = plot(canvases[r]), x = i => (i - state.from) / (state.to - state.from) * w;
    for (let i = state.from; i < state.to; i++) {
      if (Number.isNaN(values[i])) continue;
      const [from, to] = HIST ? [colours.slowLow, colours.slowHigh] : [colours.cold, colours.hot];
      c.fillStyle = mix(from, to, high > low ? ((values[i] - low) / (high - low)) ** 1.6 : 0.3);
      c.fillRect(x(i), 0, x(i + 1) - x(i) + 0.5, h);
    }
  });
}
function selectedRow() {
  const rows = [...document.querySelectorAll("#table tbody tr[data-id]")];
  return rows.find(tr => tr.dataset.id === state.key) || rows[0];
}
function choose(id, focus) {
  state.key = id;
  draw();
  if (focus) selectedRow()?.focus({ preventScroll: false });
}

// --- what it comes to

// The slowest row by p99, if that means something, and when it was worst.
function slowest() {
  const list = data.rows.filter(r => r.key !== null).map(row => ({ row, n: numbers([row]) })).filter(x => x.n.count);
  // The p99 of fewer than 100 events is their maximum: others come first, if there are any.
  const least = list.some(x => x.n.count >= 100) ? 100 : 1;
  return list.filter(x => x.n.count >= least).sort((a, b) => b.n.p99 - a.n.p99);
}
function worstColumn(row, values) {
  let worst = -1;
  const usual = sumRange(row.counts) / (state.to - state.from);
  for (let i = state.from; i < state.to; i++) {
    if (row.counts[i] >= Math.min(5, usual / 2) && (worst < 0 || values[i] > values[worst])) worst = i;
  }
  return worst;
}
// The neighbours that were taken in may hold what made it the worst.
function nearMaximum(row, worst) {
  let best = worst;
  if (worst < 0) return worst;
  for (let i = Math.max(state.from, worst - 4); i < Math.min(state.to, worst + 5); i++) {
    if (row.counts[i] && row.maxima[i] > row.maxima[best]) best = i;
  }
  return best;
}
function say(node, parts) {
  node.replaceChildren();
  for (const part of parts) {
    if (typeof part === "string") {
      node.append(part);
      continue;
    }
    const [tag, text] = part, element = document.createElement(tag);
    element.textContent = text;
    node.append(element);
  }
}
function drawFinding() {
  const node = $("finding");
  if (!data.matched) return say(node, [data.lost ? `Nothing but losses: ${whole(data.lost)} events were fired and lost.` : "There are no events in this recording."]);
  if (!data.rows.length) return say(node, ["No event has the field that was asked for."]);
  if (HIST) {
    const [first, second] = slowest();
    if (!first) return say(node, ["No events in this window."]);
    const parts = [["b", nameOf(first.row)], data.by ? " is slowest: p99 " : ": p99 ", ["em", value(first.n.p99)]];
    if (second && second.n.p99 > 0 && first.n.p99 / second.n.p99 > 1.05) parts.push(`, ${trim(first.n.p99 / second.n.p99)} times that of `, ["b", nameOf(second.row)]);
    else if (second) parts.push(", about as ", ["b", nameOf(second.row)]);
    const q = p99s(first.row), worst = nearMaximum(first.row, worstColumn(first.row, q));
    parts.push(worst >= 0 && N > 1 && q[worst] > 1.1 * first.n.p99 ? `. Worst around ${label(worst)}: ` : ".");
    if (worst >= 0 && N > 1 && q[worst] > 1.1 * first.n.p99) parts.push(["em", value(q[worst])], ".");
    return say(node, parts);
  }
  const list = data.rows.filter(r => r.key !== null).map(row => ({ row, n: numbers([row]) })).sort((a, b) => b.n.count - a.n.count);
  if (!list.length || !list[0].n.count) return say(node, ["No events in this window."]);
  const { row, n } = list[0], peak = worstColumn(row, row.counts);
  const parts = [["b", nameOf(row)], " is busiest: ", ["em", seconds() > 0 ? short(n.rate) + "/s" : whole(n.count) + " events"]];
  if (peak >= 0 && N > 1 && row.counts[peak] / data.width * 1000 > 1.2 * n.rate) parts.push(`, at most ${short(row.counts[peak] / data.width * 1000)}/s at ${label(peak)}`);
  say(node, parts.concat("."));
}

// --- everything

function draw() {
  if (state.key === undefined) state.key = HIST && data.by ? idOf(slowest()[0]?.row || data.rows[0] || { key: "" }) : "";
  drawFinding();
  drawTable();
  if (N) {
    drawTimeline();
    drawOverview();
    if (HIST && data.rows.length) {
      drawHeat();
      drawHistogram();
    }
  }
  drawWindow();
  drawLegend();
  remember();
}
function drawWindow() {
  $("reset").disabled = full();
  $("out").disabled = full();
  $("in").disabled = state.to - state.from <= 1;
  say($("window"), full() ? [] : [["b", `${label(state.from)} – ${label(state.to)}`], ` (${span((state.to - state.from) * data.width)})`]);
}
function drawLegend() {
  const list = $("legend"), shown = shownProbes();
  list.replaceChildren();
  data.probes.forEach((p, i) => {
    const li = document.createElement("li"), dot = document.createElement("i");
    dot.style.background = seriesColour(i);
    const name = document.createElement("span");
    name.textContent = name.title = p.name === null ? "other probes" : p.name;
    li.append(dot, name, whole(sumRange(p.counts)));
    li.className = shown.includes(p) ? "" : "dim";
    list.append(li);
  });
  const lost = full() ? data.lost : Math.round(sumRange(data.lostAt));
  if (data.lost) {
    const li = document.createElement("li"), dot = document.createElement("i");
    dot.style.background = colours.bad;
    li.className = "lost";
    const name = document.createElement("span");
    name.textContent = "lost";
    li.append(dot, name, whole(lost));
    list.append(li);
  }
}

// The view is in the address, so that it can be handed on.
function remember() {
  const parts = [];
  if (!full()) parts.push(`w=${state.from}-${state.to}`);
  if (state.key) parts.push("k=" + encodeURIComponent(state.key));
  if (state.search) parts.push("q=" + encodeURIComponent(state.search));
  try {
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
  } catch (e) { /* a page without an address of its own */ }
}
function recall() {
  for (const part of location.hash.slice(1).split("&")) {
    const [name, text] = [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
    const range = /^(\d+)-(\d+)$/.exec(text);
    try {
      if (name === "w" && range) setWindow(+range[1], +range[2]);
      if (name === "k") state.key = decodeURIComponent(text);
      if (name === "q") state.search = $("search").value = decodeURIComponent(text);
    } catch (e) { /* not an address of ours */ }
  }
}

// --- zoom

function setWindow(from, to) {
  const width = Math.min(Math.max(Math.round(to - from), 1), N);
  state.from = Math.min(Math.max(Math.round(from), 0), N - width);
  state.to = state.from + width;
}
function zoom(factor, at = (state.from + state.to) / 2) {
  const width = state.to - state.from, wanted = Math.max(1, factor < 1 ? Math.floor(width * factor) : Math.ceil(width * factor));
  setWindow(at - wanted * (at - state.from) / width, at - wanted * (at - state.from) / width + wanted);
  draw();
}
function move(by) {
  const width = state.to - state.from, step = Math.max(1, Math.round(width / 8)) * by;
  setWindow(state.from + step, state.to + step);
  draw();
}
function wholeRecording() {
  setWindow(0, N);
  draw();
}

let drag = null; // { from, to }: columns that are being chosen, of the shown window
let hover = null; // column under the pointer
function drawMarks(c, w, bottom) {
  if (drag) {
    const a = Math.min(drag.from, drag.to), b = Math.max(drag.from, drag.to);
    c.fillStyle = colours.accent;
    c.globalAlpha = 0.18;
    c.fillRect(xOf(a, w), 0, xOf(b + 1, w) - xOf(a, w), bottom);
    c.globalAlpha = 1;
  } else if (hover !== null && hover >= state.from && hover < state.to) {
    c.strokeStyle = colours.ink;
    c.globalAlpha = 0.5;
    c.beginPath();
    c.moveTo(xOf(hover + 0.5, w), 0);
    c.lineTo(xOf(hover + 0.5, w), bottom);
    c.stroke();
    c.globalAlpha = 1;
  }
}
function drawPlots() {
  drawTimeline();
  if (HIST && data.rows.length) drawHeat();
}
function columnAt(canvas, event, from = state.from, to = state.to) {
  const box = canvas.getBoundingClientRect();
  const share = (event.clientX - box.left - LEFT) / inner(box.width);
  return Math.min(Math.max(Math.floor(from + share * (to - from)), from), to - 1);
}
function tip(event, text) {
  const node = $("tip");
  node.hidden = !text;
  if (!text) return;
  node.textContent = text;
  const box = node.getBoundingClientRect();
  node.style.left = Math.min(event.clientX + 14, innerWidth - box.width - 8) + "px";
  node.style.top = Math.min(event.clientY + 14, innerHeight - box.height - 8) + "px";
}
function tellTimeline(i) {
  const lines = [`${label(i)}, ${span(data.width)}`];
  for (const p of shownProbes()) if (p.counts[i]) lines.push(`${p.name === null ? "other probes" : p.name}: ${short(p.counts[i] / data.width * 1000)}/s (${whole(p.counts[i])})`);
  if (data.lostAt[i] > 0) lines.push(`lost: about ${whole(Math.max(data.lostAt[i], 1))}`);
  return lines.join("\n");
}
function tellHeat(i, event) {
  const box = $("heat").getBoundingClientRect(), y = event.clientY - box.top;
  const place = Math.floor(used.low + (heat.bottom - y) / (heat.bottom - 6) * bands());
  const lines = [`${label(i)}, ${span(data.width)}`];
  if (place >= used.low && place < used.high) {
    const cell = heat.row.cells[i], n = cell ? cell[place - cell[0] + 1] || 0 : 0, [low, high] = data.scale[place];
    lines.push(`${low === high ? value(low) : `${value(low)} to ${value(high)}`}: ${whole(n)} events`);
  }
  if (heat.row.counts[i]) lines.push(`${whole(heat.row.counts[i])} in all, max ${value(heat.row.maxima[i])}`);
  return lines.join("\n");
}
function brush(canvas, tell) {
  canvas.addEventListener("pointerdown", event => {
    if (event.button || !N) return;
    const at = columnAt(canvas, event);
    drag = { from: at, to: at };
    canvas.setPointerCapture(event.pointerId);
    tip(event, "");
  });
  canvas.addEventListener("pointermove", event => {
    if (!N) return;
    const at = columnAt(canvas, event);
    if (drag) drag.to = at;
    else tip(event, tell(at, event));
    hover = at;
    drawPlots();
  });
  canvas.addEventListener("pointerup", event => {
    if (!drag) return;
    const a = Math.min(drag.from, drag.to), b = Math.max(drag.from, drag.to) + 1;
    drag = null;
    if (b - a > 1) setWindow(a, b);
    draw();
  });
  canvas.addEventListener("pointercancel", () => { drag = null; draw(); });
  canvas.addEventListener("pointerleave", event => {
    hover = null;
    tip(event, "");
    if (N) drawPlots();
  });
  canvas.addEventListener("dblclick", wholeRecording);
  canvas.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.altKey) return; // the page scrolls
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.5 : 1 / 1.5, columnAt(canvas, event) + 0.5);
  }, { passive: false });
}
function carry(canvas) { // the window, along the overview
  let held = false;
  const to = event => {
    const at = columnAt(canvas, event, 0, N) + 0.5, half = (state.to - state.from) / 2;
    setWindow(at - half, at + half);
    draw();
  };
  canvas.addEventListener("pointerdown", event => {
    if (full() || !N) return;
    held = true;
    canvas.setPointerCapture(event.pointerId);
    to(event);
  });
  canvas.addEventListener("pointermove", event => held && to(event));
  canvas.addEventListener("pointerup", () => { held = false; });
}

// --- keys

function step(by) {
  const rows = [...document.querySelectorAll("#table tbody tr[data-id]")];
  if (!rows.length) return;
  const at = rows.indexOf(selectedRow());
  choose(rows[Math.min(Math.max(at + by, 0), rows.length - 1)].dataset.id, true);
}
function search(text) {
  state.search = text;
  draw();
}
function theme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  readColours();
  draw();
}
const KEYS = {
  ArrowLeft: () => move(-1), ArrowRight: () => move(1), ArrowUp: () => step(-1), ArrowDown: () => step(1),
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "−": () => zoom(2),
  Escape: wholeRecording, "0": wholeRecording, "/": () => $("search").focus(), t: theme,
};
function listen() {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === $("search") || !KEYS[event.key]) return;
    if (!N && event.key !== "t") return;
    event.preventDefault();
    KEYS[event.key]();
  });
  $("search").addEventListener("input", event => search(event.target.value));
  $("search").addEventListener("keydown", event => {
    if (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      if (event.key === "Escape") search($("search").value = "");
      else selectedRow()?.focus();
    }
  });
  $("theme").addEventListener("click", theme);
  $("in").addEventListener("click", () => zoom(0.5));
  $("out").addEventListener("click", () => zoom(2));
  $("reset").addEventListener("click", wholeRecording);
  brush($("timeline"), tellTimeline);
  brush($("heat"), tellHeat);
  carry($("overview"));
  addEventListener("hashchange", () => {
    recall();
    draw();
  });
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", event => {
    document.documentElement.dataset.theme = event.matches ? "dark" : "light";
    readColours();
    draw();
  });
}

// --- what never changes

function about() {
  const names = [...new Set(data.processes.map(p => p.name))], title = $("title"), more = document.createElement("small");
  title.textContent = names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "") || data.recording;
  more.textContent = data.processes.length === 1 ? `  pid ${data.processes[0].pid} · ${data.recording}`
    : data.processes.length ? `  ${data.traces} processes · ${data.recording}` : "";
  title.append(more);
  title.title = data.processes.map(p => `${p.pid}: ${p.command}`).slice(0, 20).join("\n");
  const first = new Date(data.first), day = `${first.getFullYear()}-${two(first.getMonth() + 1)}-${two(first.getDate())}`;
  const zone = -first.getTimezoneOffset(), sign = zone < 0 ? "−" : "+";
  const facts = [];
  if (data.matched) facts.push(`${day} ${clock(data.first, 1000)} – ${clock(data.last, 1000)} (UTC${zone ? sign + two(Math.floor(Math.abs(zone) / 60)) + ":" + two(Math.abs(zone) % 60) : ""})`, span(data.last - data.first));
  facts.push(`${whole(data.events)} events`);
  say($("facts"), [facts.join(" · ") + " · ", data.lost ? ["strong", `lost ${whole(data.lost)} (${trim(100 * data.lost / (data.lost + data.events))}%)`] : "none lost"]);
  $("made").textContent = `weir report, ${new Date(data.made).toLocaleString()}`;
  $("which-title").textContent = HIST ? `${data.hist} by ${data.by || "probe"}` : `Events by ${data.by || "probe"}`;
  $("search").placeholder = data.by ? `Search ${data.by}, probes…  /` : "Search probes…  /";
  $("how").hidden = !HIST || !data.rows.length;
  $("when").hidden = !N;
}
function notices() {
  const list = [];
  if (data.lostUntimed) list.push(`Of the lost events ${whole(data.lostUntimed)} are not on the timeline: it is not known when they were lost.`);
  if (data.cut) list.push(`${data.cut} file(s) end within a packet; weir repair cuts them to what is whole.`);
  if (data.unknown) list.push(`${whole(data.unknown)} events are of probes that the recording does not describe.`);
  if (data.odd) list.push(`In ${whole(data.odd)} events ${data.hist} is no number (NaN or infinite); they are on the timeline only.`);
  for (const text of list) {
    const p = document.createElement("p");
    p.textContent = text;
    $("notices").append(p);
  }
}
function ask() {
  if (HIST || !data.fields.length) return;
  const { by, hist } = data.suggest, list = $("fields");
  $("ask").hidden = false;
  $("ask-text").textContent = "Which one is slow, and when? Name the field that tells them apart and the field to be measured:";
  $("ask-command").textContent = `weir report ${data.recording}${by ? ` --by ${by}` : " --by FIELD"} --hist ${hist || "FIELD"} -o report.html`;
  for (const f of data.fields) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = f.probe;
    dd.textContent = f.fields.map(([name, type]) => `${name} ${type}`).join(", ") || "no fields";
    list.append(dt, dd);
  }
}

document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
readColours();
about();
notices();
ask();
makeHead();
recall();
listen();
draw();
})();
