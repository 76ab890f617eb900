// SPDX-License-Identifier: MIT
// The rows as a table, with a strip each, and the choice of one.

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
