// SPDX-License-Identifier: MIT
// What is on the page follows from three things: the data, a window of columns, and a choice of row,
// sort order and search. draw() shows them; everything else changes them. The files of this folder
// are one script, in the order that meson.build gives, this one last.

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
  if (data.wholeFrom) list.push(`${data.droppedBy} dropped ${data.dropped ? whole(data.dropped) + " " : ""}events. From ${clock(data.wholeFrom, 1)} on the recording is whole; before that, events of some CPUs are missing.`);
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
