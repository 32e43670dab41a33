// The pinned operation, the filters, and the operations in view as a table.
// Text of the run only ever becomes text nodes.
function make(tag, attributes, ...children) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) if (v !== false && v !== null) el.setAttribute(k, v === true ? '' : v);
  el.append(...children.filter(c => c !== null && c !== undefined));
  return el;
}
const swatch = kind => make('i', { class: 'sw ' + kind });
const swatchOf = i => swatch(R.type[i] ? TYPES[R.type[i]] : functionSwatch(R.f[i]));
const functionSwatch = f => R.functions.length === 1 ? 'ok' : 'f' + R.tone[f];
const OUTCOME = ['it happened', 'it did not happen', 'nobody knows whether it happened'];

function details() {
  const el = $('detail');
  if (pinned < 0) {
    el.replaceChildren(make('div', { class: 'mut' }, 'Click an operation to pin it here. ', make('kbd', {}, 'n'), ' ', make('kbd', {}, 'p'), ' go to its neighbours, ', make('kbd', {}, 'a'), ' to the next anomaly.'));
    return;
  }
  const i = pinned, a = askedOf(i), g = gotOf(i);
  const left = make('div', {}, make('h3', { id: 'pinned' }, words(i, true)),
    make('p', {}, swatchOf(i), ` ${TYPES[R.type[i]]}: ${OUTCOME[R.type[i]]}. `, make('span', { class: 'mut' }, `${who(i)}, ${sec(R.inv[i], 4)}${R.answered[i] ? ' to ' + sec(R.end[i], 4) + ', ' + ms((R.end[i] - R.inv[i]) * 1000) : ', never answered'}.`)),
    R.error[i] ? make('p', {}, 'Error: ', make('code', {}, text(R.error[i]))) : null,
    g && a && g !== a ? make('p', {}, 'Asked ', make('code', {}, a), ', got ', make('code', {}, g)) : null,
    make('p', { class: 'mut small' }, 'Op ', make('a', { href: '#op=' + R.op[i] }, String(R.op[i])), R.answered[i] ? `, answered by op ${R.done[i]}` : '', ' of the history.'));
  const during = R.faults.filter(q => q.from < R.end[i] && q.to > R.inv[i]);
  const right = make('div', {}, ...during.map(q => make('p', { class: 'small' }, make('i', { class: 'fsw ' + q.kind + (q.verified ? '' : ' not') }), q.name + ': ' + q.what + (q.verified ? '' : ' (not verified)'))),
    during.length ? null : make('p', { class: 'small mut' }, 'No fault was in force.'), ...neighbours(i), actions(i));
  el.replaceChildren(left, right);
}
// neighbours are what changed the same key just before and just after.
function neighbours(i) {
  const key = keysOf(i)[0];
  if (key === undefined) return [];
  const changes = j => R.type[j] !== FAIL && R.asked[j] && keysOf(j).includes(key);
  let before = -1, after = -1;
  for (let j = i - 1, n = 0; j >= 0 && before < 0 && n < 20000; j--, n++) if (changes(j) && R.type[j] === OK && R.end[j] < R.inv[i]) before = j;
  for (let j = i + 1, n = 0; j < R.n && after < 0 && n < 20000; j++, n++) if (changes(j) && R.inv[j] > R.end[i]) after = j;
  const line = (label, j) => j < 0 ? null : make('p', { class: 'small' }, label, make('a', { href: '#op=' + R.op[j] }, words(j)), make('span', { class: 'mut' }, ' ' + who(j)));
  return [line('Changed before by ', before), line('Changed after by ', after)];
}
function actions(i) {
  const box = make('p', { class: 'act' });
  const story = R.anomalies.find(a => a.calls && a.calls.includes(i));
  const add = (label, act) => { const b = make('button', { class: 'btn' }, label); b.onclick = act; box.append(b); };
  if (story) add('All of this anomaly', () => focusCalls(story.calls));
  if (keysOf(i).length) add(filter.key < 0 ? 'Only key ' + R.keys[keysOf(i)[0]] : 'All keys', onlyKey);
  add('Unpin', () => pin(-1));
  return box;
}
function onlyKey() {
  if (pinned >= 0 && keysOf(pinned).length) { filter.key = filter.key < 0 ? keysOf(pinned)[0] : -1; refilter(); details(); }
}

function resetFilter() {
  filter.types = [1, 1, 1]; filter.funcs = R.functions.map(() => 1); filter.key = -1; filter.proc = '';
  refilter();
}
function refilter() { build(); layout(); tools(); redraw(); }

function chip(label, mark, on, toggle, name) {
  const b = make('button', { class: 'chip', 'aria-pressed': on ? 'true' : 'false', 'data-chip': name }, mark, ...label);
  b.onclick = () => { toggle(); refilter(); const again = document.querySelector(`[data-chip="${CSS.escape(name)}"]`); if (again) again.focus(); };
  return b;
}
function tools() {
  const el = $('tools'), box = [];
  TYPES.forEach((t, i) => box.push(chip([t + ' ', make('span', { class: 'mut' }, int(R.counts[i]))], swatch(t), filter.types[i], () => { filter.types[i] ^= 1; }, 'type-' + t)));
  if (R.functions.length > 1) R.functions.slice(0, 12).forEach((f, k) => box.push(chip([f], swatch(functionSwatch(k)), filter.funcs[k], () => { filter.funcs[k] ^= 1; }, 'f-' + f)));
  if (R.keys.length > 1) box.push(keyPicker());
  const input = make('input', { id: 'f-proc', placeholder: 'process', 'aria-label': 'Process', inputmode: 'numeric', value: filter.proc });
  input.onchange = () => { filter.proc = input.value.replace(/\D/g, ''); refilter(); };
  const zooms = make('span', { class: 'seg' });
  const button = (label, name, act) => { const b = make('button', { 'aria-label': name }, label); b.onclick = act; zooms.append(b); };
  const half = k => { const m = (view.a + view.b) / 2, s = (view.b - view.a) * k / 2; glide(m - s, m + s); };
  button('+', 'Zoom in', () => half(.5)); button('−', 'Zoom out', () => half(2)); button('All', 'The whole run', () => glide(0, R.dur));
  if (R.marks.length) button('Anomaly', 'Next anomaly', nextAnomaly);
  el.replaceChildren(...box, input, make('span', { class: 'gap' }), make('output', { id: 'readout' }), zooms);
  readout();
}
function keyPicker() {
  const s = make('select', { 'aria-label': 'Key' }, make('option', { value: '-1' }, 'all keys'));
  R.keys.slice(0, 500).forEach((k, i) => s.append(make('option', { value: i, selected: filter.key === i }, 'key ' + k)));
  if (filter.key >= 500) s.append(make('option', { value: filter.key, selected: true }, 'key ' + R.keys[filter.key]));
  s.onchange = () => { filter.key = +s.value; refilter(); details(); };
  return s;
}
function readout() {
  const n = lower(F.t, view.b) - lower(F.t, view.a), s = view.b - view.a, d = s < .01 ? 5 : s < .1 ? 4 : s < 1 ? 3 : 2;
  $('readout').textContent = `${view.a.toFixed(d)} to ${sec(view.b, d)} · ${int(n)} of ${int(R.n)} operations`;
}

function listInView() {
  if (!$('list').open) return;
  const most = 200, lo = lower(F.t, view.a), hi = lower(F.t, view.b), body = make('tbody', {});
  for (let p = lo; p < Math.min(hi, lo + most); p++) {
    const i = F.ops[p], cell = (h, c, ...t) => make('td', { 'data-h': h, class: c }, ...t);
    body.append(make('tr', {},
      cell('Op', 'r', make('a', { href: '#op=' + R.op[i] }, String(R.op[i]))), cell('Asked', 'r nw', R.inv[i].toFixed(4)), cell('Answered', 'r nw', R.answered[i] ? R.end[i].toFixed(4) : '–'),
      cell('Process', 'nw', who(i)), cell('Operation', 'mono wrapany', words(i, true)), cell('Outcome', 'wrapany', swatchOf(i), ' ' + TYPES[R.type[i]] + (R.error[i] ? ': ' + text(R.error[i]) : ''))));
  }
  const head = make('tr', {}, ...['Op', 'Asked, s', 'Answered, s'].map(h => make('th', { class: 'r' }, h)), ...['Process', 'Operation', 'Outcome'].map(h => make('th', {}, h)));
  $('listbody').replaceChildren(make('table', { class: 'stack' }, make('thead', {}, head), body), make('p', { class: 'small mut' }, hi - lo > most ? `The first ${most} of ${int(hi - lo)} in view; zoom in for the rest.` : ''));
}

function legend() {
  const key = (mark, label) => make('span', { class: 'key' }, mark, label), box = [];
  if (R.functions.length === 1) box.push(key(swatch('ok'), 'ok')); else R.functions.slice(0, 12).forEach((f, k) => box.push(key(swatch(functionSwatch(k)), f + ' ok')));
  box.push(key(swatch('fail'), 'fail: did not happen'), key(swatch('info'), 'info: nobody knows, no right edge'));
  if (R.marks.length) box.push(key(swatch('bad'), 'anomaly'));
  const names = { partition: 'links', kill: 'killed', pause: 'paused', clock: 'clock', disk: 'disk', other: 'other fault' };
  for (const k of KINDS) if (R.faults.some(q => q.kind === k)) box.push(key(make('i', { class: 'fsw ' + k }), names[k]));
  if (R.faults.some(q => !q.verified)) box.push(key(make('i', { class: 'fsw kill not' }), 'fault not verified'));
  $('legend').replaceChildren(...box);
}
