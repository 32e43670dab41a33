// Colours and textures, read from the style sheet so that they are named once.
const C = {};
const KINDS = ['partition', 'kill', 'pause', 'clock', 'disk', 'other'];

function tile(size, paint) {
  const c = document.createElement('canvas');
  c.width = c.height = size;
  const x = c.getContext('2d');
  paint(x, size);
  return x.createPattern(c, 'repeat');
}
function slashes(x, w, colour, width) {
  x.strokeStyle = colour; x.lineWidth = width;
  for (const o of [-w, 0, w]) { x.beginPath(); x.moveTo(o - 1, w + 1); x.lineTo(o + w + 1, -1); x.stroke(); }
}
function dots(x, colour) {
  x.fillStyle = colour;
  for (const [a, b] of [[2, 2], [6, 6]]) { x.beginPath(); x.arc(a, b, 1.1, 0, 7); x.fill(); }
}
const TEXTURES = {
  partition: (x, w) => slashes(x, w, C.partition, 1.3),
  kill: (x, w) => { slashes(x, w, C.kill, 1); x.translate(w, 0); x.scale(-1, 1); slashes(x, w, C.kill, 1); },
  pause: x => { x.fillStyle = C.pause; x.fillRect(1, 0, 2, 8); },
  clock: x => dots(x, C.clock),
  disk: x => { x.fillStyle = C.disk; x.fillRect(0, 1, 8, 1.6); x.fillRect(0, 5, 8, 1.6); },
  other: x => { x.fillStyle = C.other; x.fillRect(0, 3, 8, 1); x.fillRect(3, 0, 1, 8); },
};

function colours() {
  const s = getComputedStyle(document.documentElement);
  for (const k of ['bg', 'panel', 'ink', 'ink2', 'ink3', 'line', 'line2', 'ok', 'f0', 'f1', 'f2', 'info', 'fail', 'bad', 'sans', ...KINDS]) C[k] = s.getPropertyValue('--' + k).trim();
  C.rgb = k => [1, 3, 5].map(i => parseInt(C[k].slice(i, i + 2), 16));
  R.tone = R.functions.map((_, f) => toneOf(f));
  C.f = R.functions.length === 1 ? [C.ok] : [C.f0, C.f1, C.f2];
  C.hatch = tile(6, (x, w) => { x.fillStyle = C.info; x.fillRect(0, 0, w, w); slashes(x, w, C.panel, 1.6); });
  C.pat = {};
  for (const k of KINDS) C.pat[k] = tile(8, (x, w) => { x.globalAlpha = .3; x.fillStyle = C[k]; x.fillRect(0, 0, w, w); x.globalAlpha = .75; TEXTURES[k](x, w); });
  C.lut = ['f1', 'fail', 'info'].map((k, type) => ramp(k, i => type ? 190 + i * 8 : 52 + i * 24));
  C.ramp = ramp('f1', i => 40 + i * 6.9 | 0);
}
// ramp is a colour in 32 strengths, as pixels.
function ramp(k, alpha) {
  const [r, g, b] = C.rgb(k), out = new Uint32Array(32);
  for (let i = 1; i < 32; i++) out[i] = (Math.min(255, alpha(i)) << 24 | b << 16 | g << 8 | r) >>> 0;
  return out;
}
// toneOf gives reads the lightest tone, and the other functions the rest in turn.
function toneOf(f) {
  if (R.functions.length === 1 || /^r(ead)?$/.test(R.functions[f])) return 0;
  const others = R.functions.filter(name => !/^r(ead)?$/.test(name)), at = others.indexOf(R.functions[f]);
  return others.length === R.functions.length ? at % 3 : 1 + at % 2;
}
const colourOf = i => C.f[R.tone[R.f[i]]];
