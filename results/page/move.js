// Moving about in time, and finding what is under the pointer.
const still = matchMedia('(prefers-reduced-motion:reduce)').matches;
let asked = false, anim = 0, settle = 0, drawn = 0;

function draw() {
  asked = false;
  sx = PW / (view.b - view.a);
  axis(); drawOverview(); drawOps(); drawThroughput(); drawLatency(); drawNodes(); drawClocks(); drawLogs(); drawUsage();
  if (hoverX >= 0) cross(T(hoverX), hoverX);
  drawn++;
  clearTimeout(settle);
  settle = setTimeout(() => { readout(); listInView(); listLogs(); remember(); }, 90);
}
const redraw = () => { if (!asked) { asked = true; requestAnimationFrame(draw); } };

function show(a, b) {
  const min = Math.min(R.dur, 1e-6 * Math.max(1, R.dur));
  if (b - a < min) { const m = (a + b) / 2; a = m - min / 2; b = m + min / 2; }
  const s = Math.min(b - a, R.dur);
  a = Math.max(0, Math.min(a, R.dur - s));
  view.a = a; view.b = a + s;
  redraw();
}
const zoom = (t, k) => show(t - (t - view.a) * k, t + (view.b - t) * k);

// glide moves there in 220 ms, or at once for those who do not like motion.
function glide(a, b) {
  cancelAnimationFrame(anim);
  if (still) { show(a, b); return; }
  const a0 = view.a, b0 = view.b, t0 = performance.now();
  const frame = t => {
    const u = Math.max(0, Math.min(1, (t - t0) / 220)), e = 1 - (1 - u) ** 3;
    const w = (b0 - a0) * ((b - a) / (b0 - a0)) ** e, m = (a0 + b0) / 2 + ((a + b) / 2 - (a0 + b0) / 2) * e;
    if (u < 1) { show(m - w / 2, m + w / 2); anim = requestAnimationFrame(frame); } else show(a, b);
  };
  anim = requestAnimationFrame(frame);
}

function pin(i, move) {
  pinned = i;
  if (move && i >= 0 && (R.inv[i] < view.a || R.end[i] > view.b)) {
    const s = Math.min(view.b - view.a, R.dur / 12), m = R.inv[i] + Math.min(R.end[i] - R.inv[i], s) / 2;
    glide(m - s / 2, m + s / 2);
  }
  details(); redraw();
}
// focusCalls shows calls together and pins the last of them.
function focusCalls(list) {
  if (!list.length) return;
  if (!list.every(i => F.keep[i])) resetFilter();
  const a = Math.min(...list.map(i => R.inv[i])), b = Math.max(...list.map(i => R.type[i] === INFO ? R.inv[i] : R.end[i])), m = (b - a) * .12 + R.dur / 5000;
  pinned = list[list.length - 1];
  details();
  $('run').scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
  glide(a - m, b + m);
}
function focusFault(q) {
  $('run').scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
  const m = (q.to - q.from) * .2 + R.dur / 5000;
  glide(q.from - m, q.to + m);
}

function hit(x, y) {
  let best = -1, nearest = 6;
  for (let l = 0; l < R.workers; l++) {
    if (y < lay.laneY[l] - 3 || y > lay.laneY[l] + lay.bar + 3) continue;
    const L = F.lanes[l], k = lower(L.t, T(x));
    for (let j = Math.max(0, k - 2); j < Math.min(L.n, k + 2); j++) {
      const i = L.ops[j], a = X(R.inv[i]), b = Math.max(a + 2, X(R.end[i])), d = x < a ? a - x : x > b ? x - b : 0;
      if (d < nearest) { nearest = d; best = i; }
    }
  }
  return best;
}
function hitLatency(x, y) {
  const lo = lower(F.t, T(x - 6)), hi = lower(F.t, T(x + 6));
  let best = -1, nearest = 64;
  if (hi - lo > 4000) return -1;
  for (let p = lo; p < hi; p++) {
    const i = F.ops[p], d = (X(F.t[p]) - x) ** 2 + (10 + latY((R.end[i] - R.inv[i]) * 1000) - y) ** 2;
    if (d < nearest) { nearest = d; best = i; }
  }
  return best;
}
// crowded returns how many of each type are in the pixel, where more are than can be told apart.
function crowded(x, y) {
  for (let l = 0; l < R.workers; l++) {
    if (y < lay.laneY[l] - 2 || y > lay.laneY[l] + lay.bar + 2) continue;
    const L = F.lanes[l];
    if (lower(L.t, view.b) - lower(L.t, view.a) <= PW * .6) return null;
    const a = lower(L.t, T(x - .5)), b = lower(L.t, T(x + .5));
    return b - a > 1 ? L.pre.map(p => p[b] - p[a]) : null;
  }
  return null;
}
function faultAt(x, y) {
  for (const row of lay.groups) for (const { q, k } of row.items) {
    const top = row.y + k * lay.track;
    if (y >= top && y <= top + 12 && x >= X(q.from) && x <= X(q.to)) return q;
  }
  return null;
}

// step returns the next call of the same worker, or the first in view.
function step(d) {
  if (pinned < 0) { const i = F.ops[lower(F.t, view.a)]; return i === undefined ? -1 : i; }
  const L = F.lanes[R.lane[pinned]], k = lower(L.t, R.inv[pinned]);
  let at = k;
  while (at < L.n && L.ops[at] !== pinned && L.t[at] === R.inv[pinned]) at++;
  const next = L.ops[Math.max(0, Math.min(L.n - 1, at + d))];
  return next === undefined ? pinned : next;
}
function nextAnomaly() {
  if (!R.marks.length) return;
  const i = R.marks.find(x => x > pinned), at = i === undefined ? R.marks[0] : i;
  if (!F.keep[at]) resetFilter();
  pin(at, true);
}

// cross puts the crosshair at a time, with the values there in every chart's heading.
function cross(t, x) {
  const l = $('ctime'), lines = panels().map(el => el.querySelector('.cross'));
  crossUsage(t);
  if (t === null) {
    hoverX = -1; l.style.display = 'none';
    for (const c of lines) c.style.display = 'none';
    for (const id of ['v-thr', 'v-lat']) $(id).textContent = '';
    return;
  }
  if (x < G || x > G + PW) return;
  hoverX = x;
  l.style.display = 'block';
  for (const c of lines) { c.className = 'cross'; c.style.display = 'block'; c.style.left = x + 'px'; c.style.width = '0'; }
  l.style.left = Math.max(34, Math.min(WIDTH - 34, x)) + 'px';
  const span = view.b - view.a;
  l.textContent = sec(t, span < .05 ? 5 : span < 2 ? 4 : 3);
  const e = rates && rates.rows[Math.floor(t / rates.step) - rates.first];
  $('v-thr').textContent = e ? TYPES.map((s, i) => `${s} ${int(e[i])}/s`).join('   ') : '';
  const q = quant && quant.rows[Math.floor((x - G) / quant.per)];
  $('v-lat').textContent = q && q[0] !== null ? ['half', '95 %', '99 %'].map((s, i) => q[i] === null ? '' : `${s} < ${ms(yLat(q[i]))}`).join('   ') : '';
}
