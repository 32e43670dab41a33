// What the nodes' processes used, on the run's time axis: a strip for each node
// under a heading for each measure.
const per = (a, b, n) => (b - a) / Math.max(1e-3, n); // a second
const bytes = kib => { let u = 0; while (kib >= 1000 && u < 3) { kib /= 1024; u++; } return (kib >= 100 || !u ? Math.round(kib) : kib.toPrecision(3)) + '\u00a0' + ['KiB', 'MiB', 'GiB', 'TiB'][u]; };
const MEASURES = [
  { id: 'cpu', name: 'Processors', what: 'at work', grows: true, of: (u, k, s) => per(u.cpu[k - 1], u.cpu[k], s) / 1000, say: x => x.toFixed(2), least: .1 },
  { id: 'mem', name: 'Memory', what: 'resident', of: (u, k) => u.mem[k], say: bytes, least: 1024 },
  { id: 'fds', name: 'Open files', what: 'sockets among them', of: (u, k) => u.files[k], say: int, least: 10 },
  { id: 'thd', name: 'Threads', what: 'that run or wait', of: (u, k) => u.threads[k], say: int, least: 10 },
  { id: 'rd', name: 'Read', what: 'from storage, a second', grows: true, of: (u, k, s) => per(u.read[k - 1], u.read[k], s), say: x => bytes(x) + '/s', least: 100 },
  { id: 'wr', name: 'Written', what: 'to storage, a second', grows: true, of: (u, k, s) => per(u.written[k - 1], u.written[k], s), say: x => bytes(x) + '/s', least: 100 },
];
const STRIP = () => R.usage.length > 12 ? 16 : 24;
const isUsed = () => R.usage.length > 0 && !!$('usage');

// usageIndex works out each measure's numbers: NaN where there is none.
function usageIndex() {
  if (!isUsed()) return;
  for (const u of R.usage) {
    const runs = k => k > 0 && u.pid[k] && u.pid[k] === u.pid[k - 1];
    u.t = u.at.map(x => x / 1000);
    u.joined = u.at.map((_, k) => runs(k));
    u.values = MEASURES.map(m => u.at.map((_, k) => {
      if (!u.pid[k] || m.grows && !u.joined[k]) return NaN;
      const x = m.of(u, k, u.t[k] - u.t[k - 1]), known = { rd: u.read[k], wr: u.written[k] }[m.id];
      return x < 0 && !m.grows || known < 0 ? NaN : Math.max(0, x);
    }));
  }
  MEASURES.forEach((m, i) => {
    m.most = Math.max(0, ...R.usage.flatMap(u => u.values[i].filter(x => x >= 0)));
    m.known = m.most > 0;
    const seen = R.usage.some(u => u.values[i].some(x => x >= 0)), words = make('span', {}, seen ? m.what.split(',')[0] + ': nothing' : 'not known');
    const row = !m.known ? make('div', { class: 'row' }, make('div', { class: 'lab' }, make('b', {}, m.name), words)) : make('div', { class: 'row' }, make('div', { class: 'lab' }, make('b', {}, m.name), make('span', {}, `${m.what}; at the most ${m.say(m.most)}`), make('span', { class: 'val', id: 'v-u' + m.id })), make('canvas', { id: 'c-u' + m.id, role: 'img', 'aria-label': `${m.name}, ${m.what}, of each node over time; at the most ${m.say(m.most)}.` }));
    $('usage').querySelector('.cross').before(row);
  });
}
function layUsage() {
  if (!isUsed()) return;
  $('usage').style.setProperty('--gut', G + 'px');
  size('uax', 22);
  for (const m of MEASURES) if (m.known) size('u' + m.id, R.usage.length * STRIP() + 10);
}

function drawUsage() {
  if (!isUsed()) return;
  const g = begin('uax');
  g.fillStyle = C.ink2;
  if (G > 60) g.fillText('seconds', 12, 12);
  g.textAlign = 'center';
  for (const [x, s] of ticks) if (x < G + PW - 4 || G > 60) g.fillText(s, x, 12);
  MEASURES.forEach((m, i) => { if (m.known) drawMeasure(m, i); });
}
function drawMeasure(m, nth) {
  const g = begin('u' + m.id), h = cv['u' + m.id].h, H = STRIP(), most = Math.max(m.least, m.most);
  grid(g, h);
  R.usage.forEach((u, row) => {
    const y0 = 4 + (row + 1) * H, y = v => y0 - v / most * (H - 5);
    g.fillStyle = C.ink2; g.textAlign = 'right'; g.fillText(R.nodes[u.node], G - 8, y0 - H / 2 + 2, G - 12);
    clip(g, h);
    for (const q of R.faults) if (q.verified && q.nodes[u.node] && q.to > view.a && q.from < view.b) { g.fillStyle = C.pat[q.kind]; g.globalAlpha = .32; g.fillRect(X(q.from), y0 - H + 3, Math.max(1.5, (q.to - q.from) * sx), H - 3); g.globalAlpha = 1; }
    g.strokeStyle = C.line2; g.lineWidth = 1; g.beginPath(); g.moveTo(G, y0 + .5); g.lineTo(G + PW, y0 + .5); g.stroke();
    drawStripOf(g, m, u, u.values[nth], y, y0);
    g.restore();
  });
}
// drawStripOf draws what is between samples of one process: a count that grows as
// a step, as its rate holds for all of the time since the sample before.
function drawStripOf(g, m, u, values, y, y0) {
  const lo = Math.max(1, lower(u.t, view.a)), hi = Math.min(u.t.length - 1, lower(u.t, view.b));
  g.fillStyle = C.ok; g.strokeStyle = C.ok; g.lineWidth = 1.5;
  for (const fill of [true, false]) {
    g.beginPath();
    for (let k = lo; k <= hi; k++) {
      const a = X(u.t[k - 1]), b = X(u.t[k]), from = m.grows ? values[k] : values[k - 1], to = values[k];
      if (!u.joined[k] || !(from >= 0) || !(to >= 0)) continue;
      if (fill) { g.moveTo(a, y0); g.lineTo(a, y(from)); g.lineTo(b, y(to)); g.lineTo(b, y0); continue; }
      const before = k > lo && u.joined[k - 1] && values[k - 1] >= 0;
      if (!before) g.moveTo(a, y(from)); else g.lineTo(a, y(from));
      g.lineTo(b, y(to));
    }
    g.globalAlpha = fill ? .22 : 1;
    if (fill) g.fill(); else g.stroke();
  }
  // A sample whose process was seen but once.
  if (!m.grows) for (let k = Math.max(0, lo - 1); k <= hi; k++) if (values[k] >= 0 && !u.joined[k] && !u.joined[k + 1]) { g.beginPath(); g.arc(X(u.t[k]), y(values[k]), 1.8, 0, 7); g.fill(); }
}

// sampleAt returns the sample that holds at a time; -1: none is near.
function sampleAt(u, m, t) {
  const k = lower(u.t, t);
  if (m.grows) return k < u.t.length && u.joined[k] ? k : -1;
  const near = [k, k - 1].filter(j => j >= 0 && j < u.t.length).sort((a, b) => Math.abs(u.t[a] - t) - Math.abs(u.t[b] - t))[0], gap = u.t.length > 1 ? (u.t[u.t.length - 1] - u.t[0]) / (u.t.length - 1) : 1;
  return near === undefined || Math.abs(u.t[near] - t) > gap ? -1 : near;
}
function valueAt(u, m, t) {
  const k = sampleAt(u, m, t), x = k < 0 ? NaN : u.values[MEASURES.indexOf(m)][k];
  return x >= 0 ? m.say(x) : k >= 0 && !u.pid[k] ? 'no process' : '–';
}
// crossUsage puts the values at a time into the headings; null: none.
function crossUsage(t) {
  if (!isUsed()) return;
  for (const m of MEASURES) if (m.known) $('v-u' + m.id).textContent = t === null || R.usage.length > 9 || WIDTH < 700 ? '' : R.usage.map(u => R.nodes[u.node] + ' ' + valueAt(u, m, t)).join('   ');
}
// usageUnder is what a tooltip says at a point of a chart; null: nothing.
function usageUnder(id, x, y) {
  const m = MEASURES.find(m => id === 'c-u' + m.id), u = m && R.usage[Math.floor((y - 4) / STRIP())];
  if (!u) return null;
  const t = T(x), k = sampleAt(u, m, t), during = R.faults.filter(q => q.nodes[u.node] && q.from <= t && q.to >= t);
  return [`${R.nodes[u.node]}: ${m.name.toLowerCase()} ${valueAt(u, m, t)}`, k >= 0 && u.pid[k] ? `process ${u.pid[k]}, seen at ${sec(u.t[k])}` : '', ...during.map(q => q.name + ': ' + q.nodes[u.node])];
}
