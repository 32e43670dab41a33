// A run in progress: the server tells what becomes of it, event by event.
if (box('live')) {
  const at = box('live').dataset.path, rates = [];
  const number = n => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const items = (list, empty) => list.length ? list : [line(empty)];
  const line = text => { const li = document.createElement('li'); li.textContent = text; return li; };
  const source = new EventSource('/api/live?path=' + encodeURIComponent(at));
  const spark = () => {
    const c = box('l-spark'), g = c.getContext('2d'), most = Math.max(1, ...rates), w = c.width / 120;
    g.clearRect(0, 0, c.width, c.height);
    g.fillStyle = getComputedStyle(root).getPropertyValue('--ok');
    rates.forEach((r, i) => g.fillRect(i * w, c.height * (1 - r / most), w - 1, c.height * r / most));
  };
  source.addEventListener('progress', e => {
    const p = JSON.parse(e.data);
    box('l-state').textContent = 'in progress';
    box('l-time').textContent = (p.time_ns / 1e9).toFixed(1) + '\u00a0s';
    box('l-ops').textContent = `${number(p.ops.invoked)}: ok ${number(p.ops.ok)} \u00b7 fail ${number(p.ops.fail)} \u00b7 info or under way ${number(p.ops.info)}`;
    box('l-rate').textContent = number(Math.round(p.rate));
    box('l-faults').textContent = p.faults.map(f => f.name + ': ' + f.what + (f.verified ? '' : ' (not verified)')).join('; ') || 'none';
    rates.push(p.rate);
    if (rates.length > 120) rates.shift();
    spark();
  });
  source.addEventListener('found', e => {
    const all = JSON.parse(e.data);
    box('l-found').replaceChildren(...items(all.map(a => line(a.name + ': ' + (a.meaning ? a.meaning + '. ' : '') + a.why)), 'nothing'));
  });
  source.addEventListener('done', e => {
    source.close();
    const run = JSON.parse(e.data), a = document.createElement('a');
    a.href = '/' + at + '/report.html';
    a.textContent = 'the report';
    box('l-state').replaceChildren('over, and ' + run.verdict + (run.reason ? ': ' + run.reason : '') + '. ', a);
  });
  source.onerror = () => { box('l-state').textContent = 'the connection is lost; trying again'; };
}
