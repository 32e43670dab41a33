// Search and filter of the list of runs.
const root = document.documentElement, box = id => document.getElementById(id);
const setTheme = t => { root.dataset.theme = t; box('theme').textContent = t === 'dark' ? 'Light' : 'Dark'; };
const prefers = matchMedia('(prefers-color-scheme:dark)');
root.classList.add('js');
setTheme(prefers.matches ? 'dark' : 'light');
prefers.addEventListener('change', e => setTheme(e.matches ? 'dark' : 'light'));
box('theme').onclick = () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark');

if (box('filters')) {
  const rows = [...box('runs').rows].map((row, at) => ({ row, at, text: row.textContent.toLowerCase() })), chips = [...box('filters').querySelectorAll('[data-verdict]')], picks = [...box('filters').querySelectorAll('[data-pick]')];
  const picked = (row, p) => !p.value || (p.dataset.pick === 'fault' ? row.dataset.fault.includes('|' + p.value + '|') : row.dataset[p.dataset.pick] === p.value);
  const apply = () => {
    const wanted = box('search').value.toLowerCase().split(/\s+/).filter(Boolean), on = new Set(chips.filter(c => c.getAttribute('aria-pressed') === 'true').map(c => c.dataset.verdict));
    let n = 0;
    for (const { row, text } of rows) {
      row.hidden = !on.has(row.dataset.verdict) || !wanted.every(w => text.includes(w)) || !picks.every(p => picked(row, p));
      if (!row.hidden) n++;
    }
    box('readout').textContent = `${n} of ${rows.length} runs`;
    box('none').hidden = n > 0;
  };
  for (const c of chips) c.onclick = () => { c.setAttribute('aria-pressed', c.getAttribute('aria-pressed') === 'true' ? 'false' : 'true'); apply(); };
  for (const p of picks) p.onchange = apply;
  box('search').oninput = apply;
  apply();

  const numeric = new Set(['started', 'anomalies', 'seed', 'ops', 'took', 'p95']);
  for (const th of document.querySelectorAll('th[data-sort]')) {
    const b = document.createElement('button'), by = th.dataset.sort;
    b.className = 'linkish'; b.textContent = th.textContent; th.replaceChildren(b);
    b.onclick = () => {
      const down = th.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      for (const o of document.querySelectorAll('th[data-sort]')) o.removeAttribute('aria-sort');
      th.setAttribute('aria-sort', down > 0 ? 'ascending' : 'descending');
      const of = r => numeric.has(by) ? +r.row.dataset[by] : r.row.dataset[by];
      rows.sort((a, z) => (of(a) < of(z) ? -1 : of(a) > of(z) ? 1 : 0) * down || a.at - z.at);
      box('runs').append(...rows.map(r => r.row));
    };
  }
  const boxes = () => [...box('runs').querySelectorAll('input:checked')];
  box('runs').onchange = () => {
    const two = boxes(), go = box('compare');
    if (two.length > 2) two.forEach((c, i) => { if (i < two.length - 2) c.checked = false; });
    const [a, z] = boxes();
    if (z) { go.href = '/compare?' + new URLSearchParams({ a: a.value, b: z.value }); go.removeAttribute('aria-disabled'); }
    else { go.removeAttribute('href'); go.setAttribute('aria-disabled', 'true'); }
  };
}
