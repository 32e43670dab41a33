// A client of kv.py for fallacy: operations in, answers out, a JSON object a line.
// The one question is what an error proves.
const http = require('node:http');
const readline = require('node:readline');

const [host, port] = process.env.FALLACY_ADDRESS.split(':');

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, timeout: 5000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', reject);
    request.end(body);
  });
}

async function perform(f, value) {
  const [key, argument] = value;
  const request = { f, key };
  if (f === 'write') request.value = argument;
  if (f === 'cas') [request.from, request.to] = argument;
  try {
    await ask('GET', '/health');
  } catch (e) {
    return { type: 'fail', error: `no connection, nothing was asked: ${e.message}` };
  }
  try {
    const { status, text } = await ask('POST', '/', JSON.stringify(request));
    const saw = JSON.parse(text);
    if (status === 200) return { type: 'ok', value: f === 'read' ? [key, saw] : value };
    // Maelstrom's codes do as well as types: 22 and 11 are definite, 0 is not.
    if (status === 409) return { code: 22, error: 'another value is there', value: [key, saw] };
    if (status === 503 || f === 'read') return { code: 11, error: String(saw) };
    return { code: 0, error: String(saw) };
  } catch (e) {
    // It was asked, and there is no answer: it may have happened, or may yet.
    return { type: f === 'read' ? 'fail' : 'info', error: e.message };
  }
}

(async () => {
  console.log('{"type":"ready"}');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const op = JSON.parse(line);
    console.log(JSON.stringify({ id: op.id, ...(await perform(op.f, op.value)) }));
  }
})();
