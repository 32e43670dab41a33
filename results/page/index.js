// What makes many operations drawable: prefix counts, so that any stretch of
// time costs two searches, whatever it holds.
let BIG = 250000; // more than this are drawn from a pyramid
const SMALL = 6000, GRID = 150, BASE = 8192, SLOTS = 131072;
const filter = { types: [1, 1, 1], funcs: [], key: -1, proc: '' };
let F = null; // the index of what the filter lets through

function lower(a, x, lo = 0, hi = a.length) {
  while (lo < hi) { const m = lo + hi >> 1; if (a[m] < x) lo = m + 1; else hi = m; }
  return lo;
}
function gallop(a, x, lo, step) {
  let hi = lo;
  while (hi < a.length && a[hi] < x) { lo = hi; hi += step; step *= 2; }
  return lower(a, x, lo, Math.min(hi, a.length));
}

const passesProcess = i => filter.proc === '' || R.proc[i] === +filter.proc;
const passes = i => filter.types[R.type[i]] && filter.funcs[R.f[i]] && passesProcess(i) && (filter.key < 0 || keysOf(i).includes(filter.key));

function build() {
  const W = R.workers, keep = new Uint8Array(R.n), size = new Uint32Array(W);
  let total = 0;
  for (let i = 0; i < R.n; i++) if (passes(i)) { keep[i] = 1; size[R.lane[i]]++; total++; }
  F = { total, keep, ops: new Uint32Array(total), t: new Float64Array(total), lanes: [], strip: null, pyramid: null };
  for (let l = 0; l < W; l++) F.lanes.push({ n: 0, long: [], ops: new Uint32Array(size[l]), t: new Float64Array(size[l]), pre: TYPES.map(() => new Uint32Array(size[l] + 1)) });
  const done = TYPES.map(() => new Uint32Array(SLOTS + 1)), per = SLOTS / R.dur;
  let at = 0;
  for (let i = 0; i < R.n; i++) {
    if (!keep[i]) continue;
    const L = F.lanes[R.lane[i]], k = L.n++, y = R.type[i];
    if (R.end[i] - R.inv[i] > R.dur / 5000) L.long.push(i);
    L.ops[k] = i; L.t[k] = R.inv[i];
    for (let c = 0; c < 3; c++) L.pre[c][k + 1] = L.pre[c][k] + (c === y ? 1 : 0);
    F.ops[at] = i; F.t[at++] = R.inv[i];
    done[y][Math.max(1, Math.min(SLOTS, 1 + (R.end[i] * per | 0)))]++;
  }
  for (const a of done) for (let i = 1; i <= SLOTS; i++) a[i] += a[i - 1];
  F.done = done;
  countNodes();
  if (total > BIG) F.pyramid = pyramid(total);
}

// pyramid counts latencies by column of time and row of latency, and halves the
// columns until they are coarse: 16 MB, for any number of operations.
function pyramid(total) {
  const base = TYPES.map(() => new Uint16Array(BASE * GRID)), per = BASE / R.dur;
  for (let g = 0; g < total; g++) {
    const i = F.ops[g], b = base[R.type[i]], o = Math.min(BASE - 1, F.t[g] * per | 0) * GRID + R.row[i];
    if (b[o] < 65535) b[o]++;
  }
  const levels = [base];
  for (let cols = BASE / 2; cols >= 512; cols /= 2) levels.push(levels[levels.length - 1].map(b => halve(b, cols)));
  return levels;
}
function halve(b, cols) {
  const d = new Uint16Array(cols * GRID);
  for (let c = 0; c < cols; c++) for (let r = 0; r < GRID; r++) d[c * GRID + r] = Math.min(65535, b[2 * c * GRID + r] + b[(2 * c + 1) * GRID + r]);
  return d;
}

// The scale of latency, from the fastest to the slowest of the run, in whole
// powers of ten. Its unit is a millisecond.
let LAT0 = -1, LAT1 = 4;
function latencyScale() {
  let lo = Infinity, hi = 0;
  for (let i = 0; i < R.n; i++) {
    if (!R.answered[i]) continue;
    const ms = (R.end[i] - R.inv[i]) * 1000;
    if (ms > 0 && ms < lo) lo = ms;
    if (ms > hi) hi = ms;
  }
  if (hi > 0) {
    LAT0 = Math.max(-3, Math.floor(Math.log10(lo) + .3));
    LAT1 = Math.max(LAT0 + 2, Math.log10(hi) + .15);
  }
  R.row = new Uint8Array(R.n);
  for (let i = 0; i < R.n; i++) R.row[i] = Math.max(0, Math.min(GRID - 1, latY((R.end[i] - R.inv[i]) * 1000)));
}
const latY = ms => (1 - (Math.log10(Math.max(ms, 10 ** LAT0)) - LAT0) / (LAT1 - LAT0)) * (GRID - 1);
const yLat = y => 10 ** (LAT0 + (1 - y / (GRID - 1)) * (LAT1 - LAT0));
