// What the page does as a whole: start, theme, links, copying, printing.
function setTheme(t) {
  document.documentElement.dataset.theme = t;
  const b = $('theme');
  if (b) b.textContent = t === 'dark' ? 'Light' : 'Dark';
  if (R) { colours(); F.strip = null; legend(); redraw(); }
}
const toggleTheme = () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');

// remember keeps view and pin in the address, so that a link shows what its sender saw.
function remember() {
  const whole = view.a <= 0 && view.b >= R.dur;
  const parts = [];
  if (pinned >= 0) parts.push('op=' + R.op[pinned]);
  if (!whole) parts.push('t=' + view.a.toFixed(6) + '-' + view.b.toFixed(6));
  if (!parts.length && !/^#(op|t)=/.test(location.hash)) return;
  const hash = parts.length ? '#' + parts.join('&') : '';
  try { history.replaceState(null, '', location.pathname + location.search + hash); } catch { /* some browsers refuse it on files */ }
}
// follow goes where an address says.
function follow(hash, start) {
  const p = new URLSearchParams(hash.slice(1)), t = (p.get('t') || '').split('-').map(Number);
  if (t.length === 2 && t[1] > t[0]) show(t[0], t[1]);
  if (!p.has('op')) return;
  const i = callOf(+p.get('op'));
  if (i < 0) return;
  if (!F.keep[i]) resetFilter();
  const s = Math.max((R.type[i] === INFO ? 0 : R.end[i] - R.inv[i]) * 6, Math.min(R.dur / 12, view.b - view.a));
  pinned = i;
  details();
  if (!p.has('t')) { const m = R.inv[i] + s / 4; if (start) show(m - s / 2, m + s / 2); else glide(m - s / 2, m + s / 2); }
  $('run').scrollIntoView({ behavior: start || still ? 'auto' : 'smooth' });
  redraw();
}

function copy(button, what) {
  const label = button.textContent, done = () => { button.textContent = 'Copied'; setTimeout(() => { button.textContent = label; }, 1200); };
  const byHand = () => {
    const a = make('textarea', {});
    a.value = what; document.body.append(a); a.select(); document.execCommand('copy'); a.remove(); done();
  };
  if (navigator.clipboard && isSecureContext) navigator.clipboard.writeText(what).then(done, byHand); else byHand();
}

function bindPage() {
  document.addEventListener('click', e => {
    const t = e.target.closest('[data-show],[data-copy],[data-fault],[data-line]');
    if (!t) return;
    if (t.dataset.show) focusCalls(t.dataset.show.split(',').map(op => callOf(+op)).filter(i => i >= 0));
    if (t.dataset.logs !== undefined) $('logs').scrollIntoView({ behavior: still ? 'auto' : 'smooth' });
    if (t.dataset.line) focusLine(+t.dataset.line);
    if (t.dataset.fault && R.faults[+t.dataset.fault]) focusFault(R.faults[+t.dataset.fault]);
    if (t.dataset.copy) copy(t, t.dataset.copy);
  });
  // The event's own address: remember may have replaced location's since.
  addEventListener('hashchange', e => follow(new URL(e.newURL).hash, false));
  // A link to the operation that the address names already changes nothing there.
  document.addEventListener('click', e => { const a = e.target.closest('a[href^="#op="]'); if (a && a.getAttribute('href') === location.hash) follow(location.hash, false); });
  $('list').addEventListener('toggle', listInView);
  $('help').onclick = () => $('keys').showModal();
  $('theme').onclick = toggleTheme;
  matchMedia('(prefers-color-scheme:dark)').addEventListener('change', e => setTheme(e.matches ? 'dark' : 'light'));
  const seen = new IntersectionObserver(all => all.forEach(x => {
    if (x.isIntersecting) document.querySelectorAll('.bar nav a').forEach(a => a.classList.toggle('on', a.hash === '#' + x.target.id));
  }), { rootMargin: '-20% 0px -70% 0px' });
  document.querySelectorAll('section').forEach(s => seen.observe(s));
  addEventListener('beforeprint', () => paper(true));
  addEventListener('afterprint', () => paper(false));
}
// paper draws the charts again at A4's width, in light colours.
let theme = 'light';
function paper(on) {
  printing = on;
  if (on) theme = document.documentElement.dataset.theme;
  document.body.style.width = on ? '703px' : '';
  setTheme(on ? 'light' : theme);
  layout(); draw();
}

async function start() {
  const asked = new URLSearchParams(location.hash.slice(1)).get('theme');
  setTheme(asked || (matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light'));
  document.documentElement.classList.add('js');
  const t0 = performance.now();
  R = parse(await unpack($('data').textContent.trim()));
  view.a = 0; view.b = R.dur;
  filter.funcs = R.functions.map(() => 1);
  latencyScale(); usageIndex(); build(); colours(); tools(); legend(); details(); logTools(); layout();
  bindPanel(); bindPage();
  draw();
  follow(location.hash, true);
  $('perf').textContent = `${int(R.n)} operations, drawn after ${int(performance.now() - t0)} ms.`;
  document.documentElement.dataset.ready = 'yes';
}
start().catch(err => {
  $('panel').replaceChildren(make('p', { class: 'note' }, 'The charts cannot be drawn: ' + err.message + '. Everything else on this page is there.'));
  throw err;
});
