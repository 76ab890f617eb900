// SPDX-License-Identifier: MIT
// The data, the state, and values as text.

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
