// What the nodes' processes wrote, on the run's time axis: ticks in the panel,
// lines below it, and who believed to lead. Text of logs only becomes text nodes.
const LINES = 300; // at once
const logFilter = { node: '', text: '' };
const lineNode = k => R.logs.files[R.logs.file[k]].node;
const lineName = k => lineNode(k) < 0 ? R.logs.files[R.logs.file[k]].name : R.nodes[lineNode(k)];
const lineAt = k => R.logs.at[k] / 1e6;
const hasLogs = () => R.logs.text.length > 0;

function logIndex(r) {
  r.leads = r.leads || [];
  const l = r.logs = r.logs || {};
  for (const k of ['files', 'file', 'at', 'level', 'left', 'text']) l[k] = l[k] || [];
  l.lower = l.text.map(s => s.toLowerCase());
}
const passesLine = k => (logFilter.node === '' || lineName(k) === logFilter.node) && (!logFilter.text || R.logs.lower[k].includes(logFilter.text));

// drawLogs: a tick for each line; those that warn are taller and have another colour.
function drawLogs() {
  if (!lay.logs.length) return;
  const g = begin('log'), rowH = 14;
  grid(g, cv.log.h);
  lay.logs.forEach(({ name }, nth) => {
    g.fillStyle = C.ink2; g.textAlign = 'right'; g.fillText(name, G - 8, 6 + nth * rowH + rowH / 2, G - 12);
    g.fillStyle = C.line2; g.fillRect(G, 6 + (nth + 1) * rowH - 3, PW, .6);
  });
  clip(g, cv.log.h);
  const rows = new Map(lay.logs.map(({ node }, nth) => [node, nth])), lo = lower(R.logs.at, view.a * 1e6), hi = lower(R.logs.at, view.b * 1e6 + 1);
  for (const level of [0, 1, 2]) {
    g.fillStyle = [C.ink3, C.info, C.bad][level];
    const tall = [4, 8, 10][level], wide = [1, 1.6, 2][level];
    for (let k = lo; k < hi; k++) if (R.logs.level[k] === level && passesLine(k)) g.fillRect(X(lineAt(k)) - wide / 2, 6 + (rows.get(lineNode(k)) + 1) * rowH - 3 - tall, wide, tall);
  }
  g.restore();
}
// lineUnder returns the line of a log at a point of its chart; -1: none.
function lineUnder(x, y) {
  const row = lay.logs[Math.floor((y - 6) / 14)];
  let best = -1, nearest = 5;
  if (!row) return best;
  for (let k = lower(R.logs.at, T(x - 5) * 1e6); k < R.logs.at.length && X(lineAt(k)) < x + 5; k++) {
    const d = Math.abs(X(lineAt(k)) - x) - R.logs.level[k] * 2;
    if (lineNode(k) === row.node && passesLine(k) && d < nearest) { nearest = d; best = k; }
  }
  return best;
}

// drawLead draws a line where a node believed that it led.
function drawLead(g, row) {
  g.font = '10.5px ' + C.sans;
  for (const q of R.leads) {
    if (q.node !== row.node) continue;
    const a = Math.max(G, X(q.from)), b = Math.min(G + PW, X(q.to)), y = row.leadY;
    if (b <= a) continue;
    g.fillStyle = C.ink; g.fillRect(a, y, Math.max(1.5, b - a), 2);
    const s = 'leads' + (q.term ? ', term ' + q.term : '');
    if (g.measureText(s).width < b - a - 6) { g.fillStyle = C.ink2; g.fillText(s, a + 3, y + 8); }
  }
}

// listLogs shows the lines in view, and where among them the pinned operation is.
function listLogs() {
  if (!hasLogs()) return;
  const lo = lower(R.logs.at, view.a * 1e6), hi = lower(R.logs.at, view.b * 1e6 + 1), rows = [];
  for (let k = view.a <= 0 ? 0 : lo; k < hi; k++) if (passesLine(k)) rows.push(k);
  let from = 0;
  if (rows.length > LINES && pinned >= 0) from = Math.max(0, Math.min(rows.length - LINES, rows.findIndex(k => lineAt(k) >= R.inv[pinned]) - LINES / 2));
  const some = rows.slice(from, from + LINES), items = some.map(lineItem);
  if (pinned >= 0) for (const [t, what] of [[R.end[pinned], 'answered'], [R.inv[pinned], 'asked']]) {
    if (what === 'answered' && !R.answered[pinned]) continue;
    const at = some.findIndex(k => lineAt(k) >= t), mark = make('li', { class: 'mark' }, make('span', { class: 't' }, t.toFixed(4)), make('b', {}, who(pinned)), make('span', {}, words(pinned, true) + ', ' + what));
    items.splice(at < 0 ? items.length : at, 0, mark);
  }
  $('loglines').replaceChildren(...items);
  $('logmore').textContent = !rows.length ? 'No line is in view.' : rows.length > some.length ? `${int(some.length)} of ${int(rows.length)} lines in view, from ${sec(lineAt(some[0]))} to ${sec(lineAt(some[some.length - 1]))}; zoom in for the rest.` : `${int(rows.length)} lines in view, of ${int(R.logs.text.length)}.`;
  const m = $('loglines').querySelector('.mark');
  if (m) $('loglines').scrollTop = Math.max(0, m.offsetTop - $('loglines').offsetTop - 120);
}
function lineItem(k) {
  const left = R.logs.left[k] ? make('span', { class: 'left' }, `${int(R.logs.left[k])} lines of ${lineName(k)} left out`) : null;
  const t = make('button', { class: 'linkish t', 'data-line': k }, R.logs.at[k] <= -36e8 ? '–' : lineAt(k).toFixed(4));
  return make('li', { class: ['', 'warn', 'death'][R.logs.level[k]] }, left, t, make('b', {}, lineName(k)), make('span', {}, R.logs.text[k]));
}
function logTools() {
  if (!hasLogs()) return;
  const names = [...new Set(R.logs.text.map((_, k) => lineName(k)))];
  const pick = make('select', { id: 'lognode', 'aria-label': 'Node' }, make('option', { value: '' }, 'all nodes'), ...names.map(n => make('option', { value: n }, n)));
  pick.onchange = () => { logFilter.node = pick.value; redraw(); listLogs(); };
  const find = make('input', { id: 'logtext', type: 'search', placeholder: 'find in lines', 'aria-label': 'Find in lines' });
  find.oninput = () => { logFilter.text = find.value.toLowerCase(); redraw(); listLogs(); };
  $('logtools').replaceChildren(pick, find);
}
// focusLine shows a line's place in the run.
function focusLine(k) {
  const t = Math.max(0, lineAt(k)), s = Math.min(view.b - view.a, R.dur / 12);
  glide(t - s / 2, t + s / 2);
  $('run').scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
}

// The share of what was asked of each node that it answered ok, over time.
function countNodes() {
  const slots = Math.max(1024, Math.min(SLOTS, Math.floor(3e6 / Math.max(1, R.nodes.length)))), per = slots / R.dur;
  F.nodes = { slots, ok: R.nodes.map(() => new Uint32Array(slots + 1)), all: R.nodes.map(() => new Uint32Array(slots + 1)) };
  for (let g = 0; g < F.total; g++) {
    const i = F.ops[g], n = R.node[i] - 1;
    if (n < 0) continue;
    const at = Math.max(1, Math.min(slots, 1 + (F.t[g] * per | 0)));
    F.nodes.all[n][at]++;
    if (R.type[i] === OK) F.nodes.ok[n][at]++;
  }
  for (const a of [...F.nodes.ok, ...F.nodes.all]) for (let i = 1; i <= slots; i++) a[i] += a[i - 1];
}
function drawNodes() {
  if (!lay.nodes.length) return;
  const g = begin('avl'), rowH = 16, { slots, ok, all } = F.nodes, step = nice((view.b - view.a) / PW * 5), first = Math.floor(view.a / step), last = Math.ceil(view.b / step);
  const slot = t => Math.max(0, Math.min(slots, Math.round(t / R.dur * slots)));
  shade(g, cv.avl.h); grid(g, cv.avl.h);
  lay.nodes.forEach(({ node, name }, nth) => {
    const y0 = 6 + (nth + 1) * rowH - 3, H = rowH - 4;
    g.fillStyle = C.ink2; g.textAlign = 'right'; g.fillText(name, G - 8, y0 - H / 2, G - 12);
    clip(g, cv.avl.h);
    for (let b = first; b < last; b++) {
      const i = slot(b * step), j = slot((b + 1) * step), n = all[node][j] - all[node][i];
      if (!n) continue;
      const share = (ok[node][j] - ok[node][i]) / n, x = X(b * step), w = Math.max(1, step * sx - .5);
      g.fillStyle = C.fail; g.globalAlpha = .35; g.fillRect(x, y0 - H, w, H); g.globalAlpha = 1;
      g.fillStyle = C.ok; g.fillRect(x, y0 - H * share, w, H * share);
    }
    g.restore();
  });
}
