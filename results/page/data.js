// The history, a column of numbers for each thing known of a call. Go writes
// them in columns.go: varints, one column after another, behind a JSON header.
const OK = 0, FAIL = 1, INFO = 2, TYPES = ['ok', 'fail', 'info'];
const $ = id => document.getElementById(id);
let R = null; // the run

async function unpack(text) {
  const raw = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Varints {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }
  next() {
    let n = 0, scale = 1, b;
    do { b = this.bytes[this.at++]; n += (b & 127) * scale; scale *= 128; } while (b > 127);
    return n;
  }
  signed() { const n = this.next(); return n % 2 ? -(n + 1) / 2 : n / 2; }
  column(n, make) { const out = make(n); for (let i = 0; i < n; i++) out[i] = this.next(); return out; }
}

function parse(bytes) {
  const v = new Varints(bytes), size = v.next();
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(v.at, v.at + size)));
  v.at += size;
  const n = head.n, u32 = k => new Uint32Array(k), u16 = k => new Uint16Array(k);
  const r = { ...head, last: head.end, inv: new Float64Array(n), end: new Float64Array(n), answered: new Uint8Array(n), type: new Uint8Array(n), op: u32(n), done: u32(n) };
  for (let i = 0, t = 0; i < n; i++) { t += v.signed(); r.inv[i] = t / 1e6; }
  for (let i = 0; i < n; i++) {
    const took = v.next();
    r.answered[i] = took > 0 ? 1 : 0;
    r.end[i] = took ? r.inv[i] + (took - 1) / 1e6 : head.end;
  }
  r.proc = v.column(n, u32);
  r.f = v.column(n, u16);
  for (let i = 0; i < n; i++) r.type[i] = v.next() - 1;
  r.keyset = v.column(n, u32);
  r.asked = v.column(n, u32);
  r.got = v.column(n, u32);
  r.error = v.column(n, u32);
  r.node = v.column(n, u16);
  for (let i = 0, at = 0; i < n; i++) { at += v.signed(); r.op[i] = at; }
  for (let i = 0; i < n; i++) { const d = v.next(); r.done[i] = d ? r.op[i] + d : r.op[i]; }
  return finish(r);
}

// finish adds what is worked out of the columns.
function finish(r) {
  const W = r.lanes.length;
  r.workers = W;
  r.nodes = r.nodes || []; r.functions = r.functions || []; r.keys = r.keys || [];
  r.keysets = r.keysets || []; r.texts = r.texts || []; r.faults = r.faults || []; r.anomalies = r.anomalies || []; r.usage = r.usage || [];
  r.dur = Math.max(r.last, ...r.faults.map(q => q.to), 1e-6);
  r.lane = new Uint16Array(r.n);
  r.counts = [0, 0, 0];
  for (let i = 0; i < r.n; i++) { r.lane[i] = r.proc[i] % W; r.counts[r.type[i]]++; }
  r.flag = new Uint8Array(r.n);
  for (const a of r.anomalies) for (const i of a.calls || []) r.flag[i] = 1;
  r.marks = [];
  for (let i = 0; i < r.n && r.marks.length < 400; i++) if (r.flag[i]) r.marks.push(i);
  r.order = laneOrder(r);
  logIndex(r);
  r.byOp = new Map();
  r.faults.forEach((q, i) => { q.id = i; });
  return r;
}

// laneOrder groups the lanes by node, in the order of the nodes.
function laneOrder(r) {
  const lanes = [...r.lanes.keys()].sort((a, b) => (r.lanes[a] < 0 ? 1e9 : r.lanes[a]) - (r.lanes[b] < 0 ? 1e9 : r.lanes[b]) || a - b);
  const groups = [];
  r.nodes.forEach((name, node) => groups.push({ node, name, lanes: lanes.filter(l => r.lanes[l] === node) }));
  const rest = lanes.filter(l => r.lanes[l] < 0);
  if (rest.length && r.n) groups.push({ node: -1, name: r.nodes.length ? 'no node' : '', lanes: rest });
  return groups;
}

// callOf finds the call that an op of the history belongs to; -1: none.
function callOf(op) {
  if (!R.byOp.size) for (let i = 0; i < R.n; i++) { R.byOp.set(R.op[i], i); R.byOp.set(R.done[i], i); }
  return R.byOp.has(op) ? R.byOp.get(op) : -1;
}

const keysOf = i => R.keyset[i] ? R.keysets[R.keyset[i] - 1] : [];
const value = at => at % 2 ? String(at >> 1 & 1 ? -(at + 1 >> 2) : at >> 2) : at ? R.texts[at / 2 - 1] : '';
const askedOf = i => value(R.asked[i]), gotOf = i => R.got[i] < 2 ? R.got[i] ? askedOf(i) : '' : value(R.got[i] - 1);
const text = at => at ? R.texts[at - 1] : '';
const nodeName = i => R.node[i] ? R.nodes[R.node[i] - 1] : '';
const who = i => 'p' + R.proc[i] + (nodeName(i) ? ' on ' + nodeName(i) : '');

// words says what a call asked and saw.
function words(i, long) {
  const keys = keysOf(i), a = askedOf(i), g = gotOf(i), txn = keys.length && !R.keyed;
  if (txn) return R.type[i] === OK && g ? g : a;
  let s = R.functions[R.f[i]];
  if (long && keys.length) s += ' ' + R.keys[keys[0]];
  if (a) s += ' ' + a;
  if (R.type[i] === INFO) return a ? s : s + ' → ?';
  if (g && g !== a) return s + (a.includes(' → ') ? ', saw ' : ' → ') + g;
  return a || R.type[i] !== OK || s !== 'read' && !long ? s : s + ' → nothing';
}
