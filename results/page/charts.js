// Throughput, latency and clocks.
let rates = null, cells = null, quant = null;

function drawThroughput() {
  const g = begin('thr'), h = 92, y0 = h - 10, H = y0 - 14;
  shade(g, h); grid(g, h);
  const step = nice((view.b - view.a) / PW * 9), first = Math.floor(view.a / step), last = Math.ceil(view.b / step);
  const slot = t => Math.max(0, Math.min(SLOTS, Math.round(t / R.dur * SLOTS))), rows = [];
  let max = 1e-9;
  for (let b = first; b < last; b++) {
    const i = slot(b * step), j = slot((b + 1) * step), e = F.done.map(p => (p[j] - p[i]) / step);
    rows.push(e); max = Math.max(max, e[0] + e[1] + e[2]);
  }
  const p = 10 ** Math.floor(Math.log10(max));
  max = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find(m => m * p >= max * .999) * p;
  rates = { step, first, rows };
  clip(g, h);
  const w = Math.max(1, step * sx - (step * sx > 5 ? 1 : 0));
  rows.forEach((e, i) => {
    let y = y0;
    [C.ok, C.fail, C.info].forEach((colour, c) => {
      if (!e[c]) return;
      const tall = Math.max(c ? 1.4 : .5, e[c] / max * H);
      g.fillStyle = colour; g.fillRect(X((first + i) * step), y - tall, w, tall); y -= tall;
    });
  });
  g.restore();
  g.strokeStyle = C.line2; g.beginPath(); g.moveTo(G, y0 + .5); g.lineTo(G + PW, y0 + .5); g.stroke();
  g.fillStyle = C.ink2; g.textAlign = 'right';
  g.fillText(max < 10 ? +max.toPrecision(2) : int(max), G - 6, y0 - H); g.fillText('0', G - 6, y0 - 2);
}

function drawLatency() {
  const g = begin('lat'), top = 10, h = GRID + 20, cols = Math.max(1, Math.floor(PW));
  shade(g, h); grid(g, h);
  countCells(cols);
  for (let e = Math.ceil(LAT0); e <= LAT1; e++) {
    const m = 10 ** e, y = Math.round(top + latY(m)) + .5;
    g.strokeStyle = C.line; g.beginPath(); g.moveTo(G, y); g.lineTo(G + PW, y); g.stroke();
    g.fillStyle = C.ink2; g.textAlign = 'right';
    g.fillText(m >= 1000 ? m / 1000 + ' s' : m >= 1 ? m + ' ms' : m * 1000 + ' µs', G - 6, y);
  }
  clip(g, h);
  const lo = lower(F.t, view.a), hi = lower(F.t, view.b), points = hi - lo <= SMALL;
  if (points) drawPoints(g, top, lo, hi); else drawCells(g, top, cols);
  drawQuantiles(g, top, cols, points ? Math.max(16, Math.ceil(cols / Math.max(1, (hi - lo) / 48))) : 6);
  if (R.n < 50000) {
    g.strokeStyle = C.bad; g.lineWidth = 1.5;
    for (const i of R.marks) {
      const x = X(R.inv[i]);
      if (!F.keep[i] || x < G || x > G + PW) continue;
      g.beginPath(); g.arc(x, top + latY((R.end[i] - R.inv[i]) * 1000), 4.5, 0, 7); g.stroke();
    }
  }
  g.restore();
}

// countCells counts the operations in view by pixel column and latency row.
function countCells(cols) {
  if (!cells || cells.cols !== cols) {
    const c = document.createElement('canvas');
    c.width = GRID; c.height = cols;
    const x = c.getContext('2d'), img = x.createImageData(GRID, cols);
    cells = { cols, c, x, img, px: new Uint32Array(img.data.buffer), by: TYPES.map(() => new Uint16Array(cols * GRID)) };
  }
  const by = cells.by, lo = lower(F.t, view.a), hi = lower(F.t, view.b), span = view.b - view.a;
  by.forEach(c => c.fill(0));
  if (hi - lo <= BIG || !F.pyramid) {
    const k = cols / span;
    for (let p = lo; p < hi; p++) { const i = F.ops[p]; by[R.type[i]][Math.min(cols - 1, (F.t[p] - view.a) * k | 0) * GRID + R.row[i]]++; }
    return;
  }
  let level = 0;
  while (level + 1 < F.pyramid.length && span / R.dur * (BASE >> level + 1) >= cols) level++;
  const n = BASE >> level, levels = F.pyramid[level];
  for (let c = 0; c < cols; c++) {
    let a = Math.floor((view.a + c / cols * span) / R.dur * n);
    const b = Math.min(n, Math.max(a + 1, Math.floor((view.a + (c + 1) / cols * span) / R.dur * n)));
    for (; a < b; a++) for (let y = 0; y < 3; y++) { const src = levels[y], dst = by[y], o = a * GRID, d = c * GRID; for (let r = 0; r < GRID; r++) dst[d + r] += src[o + r]; }
  }
}

function drawPoints(g, top, lo, hi) {
  const r = hi - lo < 400 ? 2.2 : 1.5;
  for (let pass = 0; pass < 3; pass++) for (let p = lo; p < hi; p++) {
    const i = F.ops[p];
    if (R.type[i] !== pass) continue;
    const x = X(F.t[p]), y = top + latY((R.end[i] - R.inv[i]) * 1000);
    g.fillStyle = pass === OK ? colourOf(i) : pass === FAIL ? C.fail : C.info;
    if (pass === OK) g.fillRect(x - r, y - r, 2 * r, 2 * r);
    else if (pass === FAIL) g.fillRect(x - r, y - .6, 2 * r + 1, 1.2);
    else { g.beginPath(); g.moveTo(x - 3, y + 2); g.lineTo(x + 3, y + 2); g.lineTo(x, y - 4); g.fill(); }
  }
}

const strength = c => c > 0 ? Math.min(31, 1 + Math.log2(c) * 1.6 | 0) : 0;
// The cells are kept on their side, a column of time after the other, and turned when drawn.
function drawCells(g, top, cols) {
  const px = cells.px, [ok, fail, info] = cells.by;
  for (let o = 0, end = cols * GRID; o < end; o++) {
    px[o] = info[o] ? C.lut[2][strength(info[o])] : fail[o] > ok[o] ? C.lut[1][strength(fail[o])] : ok[o] ? C.lut[0][strength(ok[o])] : 0;
  }
  cells.x.putImageData(cells.img, 0, 0);
  g.imageSmoothingEnabled = false;
  g.save(); g.transform(0, 1, 1, 0, G, top); g.drawImage(cells.c, 0, 0); g.restore();
}

// drawQuantiles reads them from the same cells as the dots, so that both agree.
function drawQuantiles(g, top, cols, per) {
  const hist = new Uint32Array(GRID), want = [.5, .95, .99], ok = cells.by[0];
  quant = { per, rows: [] };
  for (let c = 0; c < cols; c += per) {
    hist.fill(0);
    let n = 0;
    for (let o = c * GRID, r = 0, end = Math.min(cols, c + per) * GRID; o < end; o++) { hist[r] += ok[o]; n += ok[o]; if (++r === GRID) r = 0; }
    const out = [null, null, null];
    if (n > 3) for (let r = GRID - 1, seen = 0, k = 0; r >= 0 && k < 3; r--) { seen += hist[r]; while (k < 3 && seen >= want[k] * n) out[k++] = r; }
    quant.rows.push(out);
  }
  for (const [k, width, dash] of [[2, 1, [2, 2]], [1, 1, []], [0, 1.7, []]]) {
    const path = () => {
      let on = false;
      g.beginPath();
      quant.rows.forEach((q, i) => {
        if (q[k] === null) { on = false; return; }
        const x = G + i * per, y = top + q[k];
        if (on) g.lineTo(x, y); else g.moveTo(x, y);
        g.lineTo(x + per, y); on = true;
      });
      g.stroke();
    };
    g.setLineDash([]); g.strokeStyle = C.panel; g.lineWidth = width + 2; g.globalAlpha = .75; path();
    g.globalAlpha = 1; g.setLineDash(dash); g.strokeStyle = k ? C.ink2 : C.ink; g.lineWidth = width; path();
  }
  g.setLineDash([]);
}

// offsetAt is how far a clock is off, t seconds after the fault began.
function offsetAt(c, t) {
  if (c.strobe > 0 && Math.floor(t / c.strobe) % 2) return 0;
  return c.offset + c.drift * t - (c.frozen ? t : 0);
}
function drawClocks() {
  if (!lay.clocks.length) return;
  const g = begin('clk'), rowH = 26, skews = R.faults.filter(q => Object.keys(q.clocks).length);
  shade(g, cv.clk.h, true); grid(g, cv.clk.h);
  let most = 1e-9;
  for (const q of skews) for (const c of Object.values(q.clocks)) most = Math.max(most, Math.abs(c.offset), Math.abs(offsetAt({ ...c, strobe: 0 }, q.to - q.from)));
  lay.clocks.forEach(({ node, name }, nth) => {
    const mid = 6 + nth * rowH + rowH / 2;
    g.strokeStyle = C.line2; g.lineWidth = 1; g.beginPath(); g.moveTo(G, mid + .5); g.lineTo(G + PW, mid + .5); g.stroke();
    g.fillStyle = C.ink2; g.textAlign = 'right'; g.fillText(name, G - 8, mid, G - 12);
    clip(g, cv.clk.h);
    for (const q of skews) if (q.clocks[node]) drawSkew(g, q, q.clocks[node], mid, most);
    for (const q of skews) for (const r of q.read || []) if (r.node === node) drawRead(g, r, mid, most);
    g.restore();
  });
}
// drawRead marks what a process was seen to read of its clock.
function drawRead(g, r, mid, most) {
  const y = mid - Math.max(-1.2, Math.min(1.2, r.offset / most)) * 10;
  g.beginPath(); g.arc(X(r.at), y, 3, 0, 7);
  g.fillStyle = C.panel; g.fill(); g.strokeStyle = C.ink; g.lineWidth = 1.3; g.stroke();
}
function drawSkew(g, q, c, mid, most) {
  const a = Math.max(view.a, q.from), b = Math.min(view.b, q.to);
  if (a >= b) return;
  const y = t => mid - offsetAt(c, t - q.from) / most * 10, steps = c.strobe ? Math.min(400, Math.ceil((b - a) / c.strobe) * 4) : 1;
  g.beginPath(); g.moveTo(X(a), mid); g.lineTo(X(a), y(a));
  for (let k = 1; k <= steps; k++) { const t = a + (b - a) * k / steps; if (c.strobe) g.lineTo(X(t), y(a + (b - a) * (k - .5) / steps)); g.lineTo(X(t), y(Math.min(t, q.to - 1e-9))); }
  g.lineTo(X(b), mid);
  g.globalAlpha = q.verified ? .2 : 0; g.fillStyle = C.clock; g.fill(); g.globalAlpha = 1;
  g.setLineDash(q.verified ? [] : [3, 2]); g.strokeStyle = C.clock; g.lineWidth = 1.6; g.stroke(); g.setLineDash([]);
  const o = c.strobe ? c.offset : offsetAt(c, b - q.from - 1e-9), right = X(b) + 70 > G + PW;
  g.fillStyle = C.ink; g.textAlign = right ? 'right' : 'left';
  g.fillText((o >= 0 ? '+' : '−') + ms(Math.abs(o) * 1000), X(b) + (right ? -6 : 6), mid + (o > 0 ? -7 : 7));
}
