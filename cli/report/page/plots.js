// SPDX-License-Identifier: MIT
// The canvases: rate over time, the overview, the heat map, the histogram.

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
