// The chart of operations: a group for each node, a lane for each worker.
function drawOps() {
  const g = begin('ops'), h = cv.ops.h;
  grid(g, h);
  clip(g, h);
  for (const row of lay.groups) for (const item of row.items) drawFault(g, row, item);
  for (const row of lay.groups) if (row.leadY) drawLead(g, row);
  const bins = collect(g);
  drawBars(g, bins);
  drawLabels(g, bins);
  if (bins.dense.length) drawDense(g, bins);
  g.restore();
  drawMarks(g, bins);
  drawPinned(g);
  drawNames(g);
}

function drawFault(g, row, { q, k, text }) {
  const a = X(q.from), b = X(q.to), y = row.y + k * lay.track, w = Math.max(2, b - a);
  if (b < G || a > G + PW) return;
  if (q.verified) {
    g.globalAlpha = .08; g.fillStyle = C[q.kind]; g.fillRect(a, y + 11, w, row.end - y - 11);
    g.globalAlpha = 1; g.fillStyle = C.pat[q.kind]; g.fillRect(a, y, w, 11);
  }
  g.strokeStyle = C[q.kind]; g.lineWidth = 1; g.setLineDash(q.verified ? [] : [3, 2]); g.strokeRect(a + .5, y + .5, w - 1, 10); g.setLineDash([]);
  const s = q.verified ? text : text + ', not verified', tx = Math.max(a, G) + 4, room = Math.min(b, G + PW) - tx - 3;
  g.font = '10.5px ' + C.sans;
  const tw = g.measureText(s).width;
  if (tw > room) return;
  g.fillStyle = C.panel; g.globalAlpha = .82; g.fillRect(tx - 2, y + 1, tw + 4, 9);
  g.globalAlpha = 1; g.fillStyle = C.ink; g.fillText(s, tx, y + 6);
}

// collect sorts what is in view by how it is drawn; lanes with more operations
// than pixels are dense.
function collect(g) {
  const bins = { ok: C.f.map(() => []), fail: [], info: [], marks: [], dense: [], long: [] };
  for (let l = 0; l < R.workers; l++) {
    const L = F.lanes[l], lo = Math.max(0, lower(L.t, view.a) - 1), hi = lower(L.t, view.b), y = lay.laneY[l];
    g.fillStyle = C.line; g.fillRect(G, y + lay.bar + 1, PW, 1);
    if (hi - lo > PW * .6) {
      bins.dense.push(l);
      for (const i of L.long) { const a = X(R.inv[i]), b = X(R.end[i]); if (b - a >= 3 && b > G && a < G + PW) bins.long.push(i, a, y, b - a); }
      continue;
    }
    for (let k = lo; k < hi; k++) {
      const i = L.ops[k], a = X(R.inv[i]), b = X(R.end[i]);
      if (b < G - 2) continue;
      const next = k + 1 < L.n ? X(L.t[k + 1]) - .6 : 1e9; // a very short one stays visible but does not touch the next
      const w = Math.max(b - a, Math.min(1.8, next - a));
      (R.type[i] === OK ? bins.ok[R.tone[R.f[i]]] : R.type[i] === FAIL ? bins.fail : bins.info).push(a, y, w, i);
      if (R.flag[i]) bins.marks.push(a, y, w);
    }
  }
  return bins;
}
const each = (a, fn) => { for (let j = 0; j < a.length; j += 4) fn(a[j], a[j + 1], a[j + 2], a[j + 3]); };

function drawBars(g, bins) {
  const bar = lay.bar;
  bins.ok.forEach((a, f) => { g.fillStyle = C.f[f]; each(a, (x, y, w) => g.fillRect(x, y, w, bar)); });
  g.fillStyle = C.fail; each(bins.fail, (x, y, w) => { if (w < 5) g.fillRect(x, y + bar / 2, w, bar / 2); });
  g.strokeStyle = C.fail; g.lineWidth = 1.2; each(bins.fail, (x, y, w) => { if (w >= 5) g.strokeRect(x + .6, y + .6, w - 1.2, bar - 1.2); });
  g.fillStyle = C.hatch; each(bins.info, (x, y, w) => g.fillRect(x, y, w, bar));
  g.fillStyle = C.info; each(bins.info, (x, y) => g.fillRect(x, y, 2, bar)); // no right edge: it may still happen
}

function drawLabels(g, bins) {
  if (lay.bar < 9 || lower(F.t, view.b) - lower(F.t, view.a) > 1200) return;
  g.font = '10.5px ' + C.sans;
  const label = (x, y, w, i) => {
    if (w < (R.type[i] === INFO ? 64 : 18)) return;
    const s = words(i), tw = g.measureText(s).width, tx = Math.max(x, G) + 4;
    if (tw > x + w - tx - 3) return;
    if (R.type[i] === INFO) { g.fillStyle = C.panel; g.globalAlpha = .85; g.fillRect(tx - 2, y + 1, tw + 4, lay.bar - 2); g.globalAlpha = 1; }
    g.fillStyle = R.type[i] === OK ? (luma(colourOf(i)) > .45 ? '#101114' : '#ffffff') : C.ink;
    g.fillText(s, tx, y + lay.bar / 2 + .5);
  };
  bins.ok.forEach(a => each(a, label)); each(bins.fail, label); each(bins.info, label);
}
const luma = hex => [1, 3, 5].reduce((s, i, k) => s + [.21, .72, .07][k] * (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2, 0) ** .6;

// drawDense: each column of pixels says how many there are, and what share was not ok.
function drawDense(g, bins) {
  const lanes = bins.dense, cols = Math.max(1, Math.floor(PW * DPR)), ROWS = 6;
  if (!drawDense.at || drawDense.at.c.width !== cols || drawDense.at.c.height !== R.workers * ROWS) {
    const c = document.createElement('canvas');
    c.width = cols; c.height = R.workers * ROWS;
    const x = c.getContext('2d'), img = x.createImageData(cols, c.height);
    drawDense.at = { c, x, img, px: new Uint32Array(img.data.buffer) };
  }
  const { c, x, img, px } = drawDense.at;
  px.fill(0);
  for (const l of lanes) denseLane(px, cols, ROWS, l);
  x.putImageData(img, 0, 0);
  g.imageSmoothingEnabled = false;
  for (const l of lanes) g.drawImage(c, 0, l * ROWS, cols, ROWS, G, lay.laneY[l], PW, lay.bar);
  for (let j = 0; j < bins.long.length; j += 4) {
    const [i, a, y, w] = bins.long.slice(j, j + 4);
    g.fillStyle = C.panel; g.fillRect(a, y, w, lay.bar);
    g.fillStyle = R.type[i] === INFO ? C.hatch : R.type[i] === FAIL ? C.fail : colourOf(i); g.fillRect(a, y, w, lay.bar);
  }
}
function denseLane(px, cols, rows, l) {
  const L = F.lanes[l], [po, pf, pi] = L.pre, span = (view.b - view.a) / cols, mean = F.total / R.workers / R.dur * span, step = Math.max(2, mean | 0);
  const fail = C.lut[1][31], info = C.lut[2][31];
  let k = lower(L.t, view.a);
  for (let col = 0; col < cols; col++) {
    const e = gallop(L.t, view.a + (col + 1) * span, k, step), n = e - k;
    if (n > 0) {
      const ok = po[e] - po[k], nf = pf[e] - pf[k], ni = pi[e] - pi[k];
      const base = l * rows * cols + col, colour = ok ? C.ramp[Math.min(31, 4 + 18 * ok / (mean + 1) | 0)] : 0;
      const hi = ni ? Math.max(2, Math.round(rows * ni / n)) : 0, hf = Math.round(rows * nf / n); // what nobody knows is never rounded away
      for (let r = 0; r < rows; r++) px[base + r * cols] = r >= rows - hi ? info : r >= rows - hi - hf ? fail : colour;
    }
    k = e;
  }
}

function drawMarks(g, bins) {
  const bar = lay.bar, m = bins.marks, point = (x, y) => { g.beginPath(); g.moveTo(x - 3.5, y - 7); g.lineTo(x + 3.5, y - 7); g.lineTo(x, y - 2); g.fill(); };
  g.strokeStyle = g.fillStyle = C.bad; g.lineWidth = 1.6;
  for (let j = 0; j < m.length; j += 3) {
    const x = m[j], y = m[j + 1], w = m[j + 2], a = Math.max(x, G), b = Math.min(x + w, G + PW);
    if (b < a) continue;
    g.strokeRect(a - 1.5, y - 1.5, b - a + 3, bar + 3);
    point((a + b) / 2, y);
  }
  if (!bins.dense.length) return;
  for (const i of R.marks) {
    const x = X(R.inv[i]), y = lay.laneY[R.lane[i]];
    if (x < G || x > G + PW || !F.keep[i] || !bins.dense.includes(R.lane[i])) continue;
    if (R.marks.length > 60) g.fillRect(x - .5, y - 4, 1.2, 4); else point(x, y);
  }
}

function drawPinned(g) {
  if (pinned < 0) return;
  const a = Math.max(G, X(R.inv[pinned])), b = Math.min(G + PW, Math.max(X(R.end[pinned]), X(R.inv[pinned]) + 2)), y = lay.laneY[R.lane[pinned]];
  if (b < G || a > G + PW) return;
  g.strokeStyle = C.ink; g.lineWidth = 2; g.strokeRect(a - 3, y - 3, b - a + 6, lay.bar + 6);
}

function drawNames(g) {
  const left = G > 60 ? 12 : 6;
  g.textAlign = 'left';
  lay.groups.forEach((row, nth) => {
    g.fillStyle = C.ink; g.font = '600 12px ' + C.sans; g.fillText(row.name, left, row.y + 6, G - left - 4);
    g.font = '11px ' + C.sans; g.fillStyle = C.ink2;
    if (lay.lane > 9) for (const l of row.lanes) if (lay.laneY[l] > row.y + 11 || !row.name) g.fillText(G > 60 ? 'worker ' + l : 'w' + l, left, lay.laneY[l] + 6);
    if (nth) { g.fillStyle = C.line2; g.fillRect(0, row.y - 5, WIDTH, .6); }
  });
}
