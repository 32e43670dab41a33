// Sizes, the time axis, and what all charts draw alike.
const view = { a: 0, b: 1 };
const cv = {};
let G = 104, PW = 1000, DPR = 1, WIDTH = 1100, sx = 1, lay = null, ticks = [], pinned = -1, hoverX = -1, printing = false;
const X = t => G + (t - view.a) * sx, T = x => view.a + (x - G) / sx;

const int = x => Math.round(x).toString().replace(/\B(?=(\d{3})+$)/g, '\u202f');
const sec = (t, d = 3) => t.toFixed(d) + '\u00a0s';
const ms = x => x >= 1000 ? (x / 1000).toFixed(2) + '\u00a0s' : x >= 100 ? x.toFixed(0) + '\u00a0ms' : x >= 10 ? x.toFixed(1) + '\u00a0ms' : x >= .1 ? x.toFixed(2) + '\u00a0ms' : (x * 1000).toFixed(1) + '\u00a0µs';
function nice(x) { const p = 10 ** Math.floor(Math.log10(x)); for (const m of [1, 2, 5]) if (m * p >= x * .9999) return m * p; return 10 * p; }

function size(id, h) {
  const c = $('c-' + id);
  c.style.height = h + 'px';
  c.width = Math.round(WIDTH * DPR); c.height = Math.round(h * DPR);
  cv[id] = { c, g: c.getContext('2d'), h };
}
function begin(id) {
  const { g, h } = cv[id];
  g.setTransform(DPR, 0, 0, DPR, 0, 0);
  g.clearRect(0, 0, WIDTH, h);
  g.font = '11.5px ' + C.sans; g.textBaseline = 'middle'; g.textAlign = 'left'; g.globalAlpha = 1; g.setLineDash([]);
  return g;
}
const clip = (g, h) => { g.save(); g.beginPath(); g.rect(G, 0, PW, h); g.clip(); };

function layout() {
  const el = $('panel');
  WIDTH = el.clientWidth; DPR = printing ? 2.5 : Math.min(window.devicePixelRatio || 1, 2.5);
  G = WIDTH < 620 ? 46 : 104; PW = WIDTH - G - 14;
  el.style.setProperty('--gut', G + 'px');
  const many = R.workers > 120;
  lay = { groups: [], laneY: new Array(R.workers).fill(-99), track: 13, bar: many ? 4 : 11, lane: many ? 5 : 16 };
  let y = 8;
  for (const group of R.order) {
    const row = { ...group, y, items: [] }, tracks = [];
    for (const q of R.faults) {
      const words = q.nodes[group.node];
      if (!words) continue;
      let k = tracks.findIndex(e => e <= q.from);
      if (k < 0) k = tracks.length;
      tracks[k] = q.to;
      row.items.push({ q, k, text: words });
    }
    y += tracks.length * lay.track + 3;
    if (R.leads.some(q => q.node === group.node)) { row.leadY = y; y += 14; }
    if (!group.lanes.length) y = Math.max(y, row.y + 14);
    for (const l of group.lanes) { lay.laneY[l] = y; y += lay.lane; }
    row.end = y; y += 9;
    lay.groups.push(row);
  }
  lay.clocks = R.order.filter(o => o.node >= 0 && R.faults.some(q => q.clocks[o.node]));
  $('row-clk').hidden = !lay.clocks.length;
  lay.nodes = R.n && R.nodes.length <= 40 ? R.order.filter(o => o.node >= 0 && o.lanes.length) : [];
  $('row-avl').hidden = !lay.nodes.length;
  lay.logs = [...new Set(R.logs.files.map(f => f.node))].sort((a, b) => a - b).map(node => ({ node, name: node < 0 ? 'other' : R.nodes[node] })).slice(0, 60);
  if (!hasLogs()) lay.logs = [];
  $('row-log').hidden = !lay.logs.length;
  size('ov', 66); size('ops', y + 2); size('thr', 92); size('lat', GRID + 20);
  if (lay.nodes.length) size('avl', lay.nodes.length * 16 + 12);
  if (lay.logs.length) size('log', lay.logs.length * 14 + 12);
  if (lay.clocks.length) size('clk', lay.clocks.length * 26 + 12);
  layUsage();
  F.strip = null;
}

function axis() {
  const step = nice((view.b - view.a) / (PW / (PW < 500 ? 58 : 92))), d = Math.max(0, Math.min(7, -Math.floor(Math.log10(step) + 1e-9)));
  ticks = [];
  for (let t = Math.ceil(view.a / step) * step; t <= view.b + 1e-9; t += step) ticks.push([X(t), t.toFixed(d)]);
}
function grid(g, h) {
  g.strokeStyle = C.line; g.lineWidth = 1; g.beginPath();
  for (const [x] of ticks) { g.moveTo(Math.round(x) + .5, 0); g.lineTo(Math.round(x) + .5, h); }
  g.stroke();
}
// shade puts the faults in force behind a chart: those that were seen to work.
function shade(g, h, clocks) {
  for (const q of R.faults) {
    const a = Math.max(G, X(q.from)), b = Math.min(G + PW, X(q.to));
    if (b <= a || !q.verified || (q.kind === 'clock') !== !!clocks) continue;
    g.globalAlpha = .08; g.fillStyle = C[q.kind]; g.fillRect(a, 0, b - a, h); g.globalAlpha = 1;
  }
}

function drawOverview() {
  const g = begin('ov'), full = t => G + t / R.dur * PW;
  if (!F.strip) F.strip = drawStrip(full);
  g.drawImage(F.strip, 0, 0, WIDTH, 44);
  g.fillStyle = C.ink2;
  if (G > 60) g.fillText('seconds', 12, 57);
  g.textAlign = 'center';
  for (const [x, s] of ticks) if (x < G + PW - 4 || G > 60) g.fillText(s, x, 57);
  const x0 = full(view.a), x1 = full(view.b);
  if (view.b - view.a < R.dur * .995) {
    g.fillStyle = C.ink; g.globalAlpha = .06;
    g.beginPath(); g.moveTo(x0, 40); g.lineTo(x1, 40); g.lineTo(G + PW, 49); g.lineTo(G, 49); g.fill(); g.globalAlpha = 1;
  }
  const b = $('brush').style, l = $('veil-l').style, r = $('veil-r').style;
  b.left = x0 + 'px'; b.width = Math.max(3, x1 - x0) + 'px';
  l.left = G + 'px'; l.width = Math.max(0, x0 - G) + 'px';
  r.left = x1 + 'px'; r.width = Math.max(0, G + PW - x1) + 'px';
}

// drawStrip draws the overview, which changes only with filter, size and theme.
function drawStrip(full) {
  const c = document.createElement('canvas'), top = 6, h = 34;
  c.width = WIDTH * DPR; c.height = 44 * DPR;
  const o = c.getContext('2d');
  o.scale(DPR, DPR);
  for (const q of R.faults) {
    const x = full(q.from), w = full(q.to) - x;
    o.fillStyle = C[q.kind]; o.globalAlpha = q.verified ? .09 : 0; o.fillRect(x, top, w, h);
    o.globalAlpha = q.verified ? .9 : .45; o.fillRect(x, top + h - 2 - KINDS.indexOf(q.kind) * 3, Math.max(2, w), 2);
  }
  o.globalAlpha = 1;
  const cols = Math.floor(PW / 2), bins = [];
  let max = 1;
  for (let i = 0; i < cols; i++) {
    const a = Math.floor(i / cols * SLOTS), b = Math.floor((i + 1) / cols * SLOTS), e = F.done.map(p => p[b] - p[a]);
    bins.push(e); max = Math.max(max, e[0] + e[1] + e[2]);
  }
  bins.forEach((e, i) => {
    let y = top + 20;
    [C.ok, C.fail, C.info].forEach((colour, k) => {
      if (!e[k]) return;
      const tall = Math.max(k ? 1.5 : 1, e[k] / max * 17);
      o.fillStyle = colour; o.fillRect(G + i * 2, y - tall, 2, tall); y -= tall;
    });
  });
  o.fillStyle = C.bad;
  for (const i of R.marks) {
    const x = full(R.inv[i]);
    if (R.marks.length > 60) { o.fillRect(x - .5, 0, 1.2, 5); continue; }
    o.beginPath(); o.moveTo(x - 4, 0); o.lineTo(x + 4, 0); o.lineTo(x, 7); o.fill();
  }
  o.fillStyle = C.ink2; o.font = '12px ' + C.sans; o.textBaseline = 'middle';
  if (G > 60) o.fillText('Overview', 12, top + h / 2);
  return c;
}
