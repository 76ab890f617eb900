// SPDX-License-Identifier: MIT
// Pointer, wheel and keys: what changes the window and the choice.

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
