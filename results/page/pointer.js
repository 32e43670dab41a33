// Pointer, wheel and keys on the panel.
let drag = null, engaged = false, hintTimer = 0;
const touches = new Map();

function bindPanel() {
  for (const el of panels()) bindCharts(el);
  document.addEventListener('pointerdown', e => { if (!panels().some(el => el.contains(e.target))) engaged = false; });
  document.addEventListener('keydown', keyDown);
  const el = $('panel');
  new ResizeObserver(() => { if (!printing && el.clientWidth && el.clientWidth !== WIDTH) { layout(); draw(); } }).observe(el);
}
function bindCharts(el) {
  el.addEventListener('pointermove', pointerMove);
  el.addEventListener('pointerleave', () => { cross(null); tell(null); });
  el.addEventListener('pointerdown', pointerDown);
  el.addEventListener('pointerup', pointerUp);
  el.addEventListener('pointercancel', pointerUp);
  el.addEventListener('dblclick', doubleClick);
  el.addEventListener('wheel', wheel, { passive: false });
}

// panels are what the keys and the pointer act on: they share the time in view.
const panels = () => [$('panel'), $('usage')].filter(Boolean);
const local = e => e.clientX - e.currentTarget.getBoundingClientRect().left - 1;
const within = e => e.clientY - e.target.getBoundingClientRect().top;
const callUnder = (id, x, y) => id === 'c-ops' ? hit(x, y) : id === 'c-lat' ? hitLatency(x, y) : -1;

// tell shows a tooltip: the first line is what, the rest is more.
function tell(lines, e) {
  const tip = $('tip');
  if (!lines) { tip.style.display = 'none'; return; }
  tip.replaceChildren(make('b', {}, lines[0]), ...lines.slice(1).filter(Boolean).map(s => make('span', { class: 'mut' }, s)));
  tip.style.display = 'block';
  const r = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(innerWidth - r.width - 8, e.clientX + 14)) + 'px';
  tip.style.top = (e.clientY + 18 + r.height > innerHeight ? e.clientY - r.height - 12 : e.clientY + 18) + 'px';
}

function pointerMove(e) {
  const x = local(e);
  if (touches.has(e.pointerId)) touches.set(e.pointerId, x);
  if (touches.size === 2 && drag && drag.pinch) { pinch(); return; }
  if (drag) { drag.moved = Math.max(drag.moved || 0, Math.abs(x - drag.x)); drag.go(x); return; }
  const inside = x >= G && x <= G + PW && !e.target.closest('.detail');
  cross(inside ? T(x) : null, x);
  if (!inside || e.target.tagName !== 'CANVAS') { tell(null); return; }
  const id = e.target.id, y = within(e), q = id === 'c-ops' ? faultAt(x, y) : null, crowd = q || id !== 'c-ops' ? null : crowded(x, y);
  const i = q || crowd ? -1 : callUnder(id, x, y);
  if (id !== 'c-ov') e.target.style.cursor = i >= 0 || q ? 'pointer' : 'grab';
  const line = id === 'c-log' ? lineUnder(x, y) : -1;
  if (line >= 0) tell([R.logs.text[line], lineName(line) + ', at ' + sec(lineAt(line), 4)], e);
  else if (q) tell([q.name + ': ' + q.what, sec(q.from) + ' to ' + sec(q.to), q.verified ? '' : 'not seen to take effect'], e);
  else if (crowd) tell([int(crowd[0] + crowd[1] + crowd[2]) + ' operations in this pixel', crowd.map((n, k) => TYPES[k] + ' ' + int(n)).join(', ') + '. Zoom in to see them.'], e);
  else if (id.startsWith('c-u')) tell(usageUnder(id, x, y), e);
  else if (i >= 0) tell([words(i, true), TYPES[R.type[i]] + took(i), who(i) + ', at ' + sec(R.inv[i])], e);
  else tell(null);
}
const took = i => R.answered[i] ? ' after ' + ms((R.end[i] - R.inv[i]) * 1000) : ', never answered';

function pinch() {
  const [p, q] = [...touches.values()], d = Math.max(12, Math.abs(p - q)), m = (p + q) / 2, s = drag.span * drag.d / d;
  show(drag.t - (m - G) / PW * s, drag.t + (1 - (m - G) / PW) * s);
}

function pointerDown(e) {
  if (e.target.closest('.detail') || e.button) return;
  const x = local(e), id = e.target.id, el = e.currentTarget;
  engaged = true;
  tell(null);
  if (e.pointerType === 'touch') {
    touches.set(e.pointerId, x);
    if (touches.size === 2) { const [p, q] = [...touches.values()]; drag = { pinch: true, span: view.b - view.a, d: Math.abs(p - q), t: T((p + q) / 2), x, go() { } }; return; }
  }
  drag = e.target.closest('.ovw') ? dragOverview(e, x) : e.shiftKey ? dragStretch(x, el) : dragChart(e, x, id);
  if (e.pointerType !== 'touch') { el.setPointerCapture(e.pointerId); e.preventDefault(); el.focus({ preventScroll: true }); }
}
function dragOverview(e, x) {
  const full = v => (v - G) / PW * R.dur, a = view.a, b = view.b, least = R.dur * 1e-4;
  if (e.target.tagName === 'I') {
    const left = e.target === e.target.parentNode.firstElementChild;
    return { x, go: v => left ? show(Math.min(full(v), view.b - least), view.b) : show(view.a, Math.max(full(v), view.a + least)) };
  }
  if (e.target.id === 'brush' && b - a < R.dur * .995) return { x, go: v => show(a + full(v) - full(x), b + full(v) - full(x)) };
  return { x, go: v => { if (Math.abs(v - x) > 3) show(Math.min(full(x), full(v)), Math.max(full(x), full(v))); } };
}
function dragStretch(x, el) {
  const from = T(x), c = el.querySelector('.cross');
  let to = from;
  return {
    x,
    go: v => { to = T(v); c.className = 'cross wide'; c.style.display = 'block'; c.style.left = Math.min(x, v) + 'px'; c.style.width = Math.abs(v - x) + 'px'; },
    end: () => { c.className = 'cross'; c.style.display = 'none'; if (to !== from) glide(Math.min(from, to), Math.max(from, to)); },
  };
}
function dragChart(e, x, id) {
  const a = view.a, b = view.b, y = within(e);
  return {
    x,
    go: v => { if (drag.moved > 3) show(a - (v - x) / sx, b - (v - x) / sx); },
    click: () => {
      const line = id === 'c-log' ? lineUnder(x, y) : -1;
      if (line >= 0) { focusLine(line); $('logs').scrollIntoView(); return; }
      const q = id === 'c-ops' ? faultAt(x, y) : null, i = q ? -1 : callUnder(id, x, y);
      if (q) focusFault(q); else if (i >= 0) pin(i);
    },
  };
}
function pointerUp(e) {
  touches.delete(e.pointerId);
  if (!drag) return;
  const d = drag;
  drag = null;
  if (d.end) d.end(); else if ((d.moved || 0) <= 3 && d.click) d.click();
}
function doubleClick(e) {
  if (e.target.closest('.detail')) return;
  if (e.target.closest('.ovw')) { glide(0, R.dur); return; }
  const x = local(e), i = callUnder(e.target.id, x, within(e));
  if (i >= 0) { const d = R.end[i] - R.inv[i]; glide(R.inv[i] - d * 2, R.end[i] + d * 2); return; }
  const t = T(x), s = (view.b - view.a) / 6;
  glide(t - s / 2, t + s / 2);
}
function wheel(e) {
  const el = e.currentTarget, x = local(e), hint = el.querySelector('.hint');
  if (e.target.closest('.detail')) return;
  if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey && !e.ctrlKey) { e.preventDefault(); const d = (e.deltaX || e.deltaY) / sx; show(view.a + d, view.b + d); return; }
  if (!e.ctrlKey && !e.metaKey && !(engaged && document.activeElement === el)) {
    clearTimeout(hintTimer); hint.classList.add('on'); hintTimer = setTimeout(() => hint.classList.remove('on'), 1100);
    return;
  }
  e.preventDefault();
  zoom(T(Math.max(G, Math.min(G + PW, x))), Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * (e.ctrlKey ? .012 : .004)));
}

function keyDown(e) {
  if (/INPUT|SELECT|TEXTAREA/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey || $('keys').open) { if (e.key === 'Escape' && e.target.blur) e.target.blur(); return; }
  const s = view.b - view.a, on = panels().includes(document.activeElement), mid = (view.a + view.b) / 2;
  const keys = {
    '+': () => glide(mid - s / 4, mid + s / 4), '=': () => glide(mid - s / 4, mid + s / 4), '-': () => glide(mid - s, mid + s),
    '0': () => glide(0, R.dur), a: nextAnomaly, n: () => pin(step(1), true), p: () => pin(step(-1), true), k: onlyKey,
    '/': () => $('f-proc').focus(), t: toggleTheme, '?': () => $('keys').showModal(), Escape: () => { pin(-1); engaged = false; panels().forEach(el => el.blur()); },
  };
  const arrows = { ArrowLeft: () => glide(view.a - s * .3, view.b - s * .3), ArrowRight: () => glide(view.a + s * .3, view.b + s * .3), ArrowUp: keys['+'], ArrowDown: keys['-'] };
  const act = keys[e.key] || on && arrows[e.key];
  if (!act) return;
  act();
  e.preventDefault();
}
