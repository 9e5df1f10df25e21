// A stream with back-pressure, in Node over the C ABI: a reader that takes its time, beside one that does not; an answer left
// early; an error. The upstream is simulated: no key, no network. Ends with 0 when all was as it says.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { Gateway } from './sluice.mjs';

const words = 60_000;
const gateway = new Gateway({
  version: 1,
  upstreams: [
    { name: 'teller', provider: 'simulator', simulator: { answer: 'Once upon a time a gate let every word pass.' } },
    { name: 'endless', provider: 'simulator', simulator: { answer: 'word '.repeat(words) } },
    { name: 'slow', provider: 'simulator', simulator: { answer: 'word '.repeat(1000), tokens_per_second: 20 } },
    { name: 'down', provider: 'simulator', simulator: { status: 503 } },
  ],
  routes: ['endless', 'slow', 'down', 'teller'].map((name) => ({ name, match: name === 'teller' ? {} : { model: [name] }, upstreams: [{ name }] })),
});
const ask = (model, options) =>
  gateway.stream('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content: 'a story' }] }, options);

try {
  let text = '';
  for await (const part of ask('smart')) text += part;
  console.log(text);
  assert.equal(text, 'Once upon a time a gate let every word pass.');

  // A reader that takes its time: what it has not read does not come.
  const long = ask('endless', { window: 4096 });
  let size = 0, reads = 0;
  for await (const part of long) {
    size += part.length;
    if (++reads % 10_000 === 0) await pause(5);
  }
  console.log(`${size} characters came; at most ${long.most} of them had to wait`);
  assert.ok(size > 4 * words);
  assert.ok(long.most <= 4096 + 65536, 'more was held than the window and what was on its way');

  // Left early: the loop is left, and the answer ends at its upstream.
  let first = '';
  for await (const part of ask('slow')) {
    first = part;
    break;
  }
  console.log(`left after: ${first}`);

  await assert.rejects(async () => { for await (const _ of ask('down')); }, { status: 503 });
  console.log('an upstream that is down is an error');
} finally {
  await gateway.close();
}
