// Search and filter of the list of runs.
const root = document.documentElement, box = id => document.getElementById(id);
const setTheme = t => { root.dataset.theme = t; box('theme').textContent = t === 'dark' ? 'Light' : 'Dark'; };
const prefers = matchMedia('(prefers-color-scheme:dark)');
root.classList.add('js');
setTheme(prefers.matches ? 'dark' : 'light');
prefers.addEventListener('change', e => setTheme(e.matches ? 'dark' : 'light'));
box('theme').onclick = () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark');

if (box('filters')) {
  const rows = [...box('runs').rows].map(row => ({ row, text: row.textContent.toLowerCase() })), chips = [...box('filters').querySelectorAll('[data-verdict]')];
  const apply = () => {
    const wanted = box('search').value.toLowerCase().split(/\s+/).filter(Boolean), on = new Set(chips.filter(c => c.getAttribute('aria-pressed') === 'true').map(c => c.dataset.verdict));
    let n = 0;
    for (const { row, text } of rows) {
      row.hidden = !on.has(row.dataset.verdict) || !wanted.every(w => text.includes(w));
      if (!row.hidden) n++;
    }
    box('readout').textContent = `${n} of ${rows.length} runs`;
    box('none').hidden = n > 0;
  };
  for (const c of chips) c.onclick = () => { c.setAttribute('aria-pressed', c.getAttribute('aria-pressed') === 'true' ? 'false' : 'true'); apply(); };
  box('search').oninput = apply;
  apply();
}
