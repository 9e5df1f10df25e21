// What the upstreams say, and how a client is led over all of them. Knows no client and no dialect.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';

export const url = process.env.SLUICE_URL;
export const key = process.env.OPENAI_API_KEY;
export const text = 'Hello there, stranger.';
export const system = 'Be brief.';
export const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  schema: { type: 'object', properties: { city: { type: 'string' }, unit: { type: 'string' } }, required: ['city'] },
};
export const city = { city: 'Köln', unit: 'C' };
export const usage = { chat: [11, 5], tools: [20, 9] }; // tokens in and out
const upstreams = ['openai', 'openai-responses', 'anthropic', 'gemini', 'cohere', 'ollama', 'bedrock'];
const withoutIds = ['gemini', 'ollama']; // a call has no id there, so the gateway gives it one

// `use(upstream, said)` for each dialect an upstream speaks. `said()` is a tool's result; the upstreams are asked afterwards
// whether each has come to them.
export async function overUpstreams(client, use, { except = [] } = {}) {
  for (const upstream of upstreams.filter((one) => !except.includes(one))) {
    let results = 0;
    const said = () => {
      const mark = `result-${++results}-for-${client}-by-${upstream}`;
      appendFileSync(process.env.SLUICE_MARKS, mark + '\n');
      return mark;
    };
    try {
      await use(upstream, said);
    } catch (error) {
      throw new Error(`${client}, with an upstream of ${upstream}`, { cause: error });
    }
  }
  console.log(`${client}: ${upstreams.length - except.length} upstreams`);
}

// A tool's call, as every client gives it in the end.
export function isTheCall(upstream, { id, name, given }) {
  assert.equal(name, weather.name);
  assert.deepEqual(typeof given === 'string' ? JSON.parse(given) : given, city);
  if (id === undefined) return;
  if (withoutIds.includes(upstream)) assert.ok(typeof id === 'string' && id.length > 4, `an id: ${id}`);
  else assert.equal(id, 'call_1');
}

export async function rejects(promise, look) {
  await assert.rejects(promise, (error) => {
    look(error);
    assert.ok(!`${error} ${error.message} ${error.body ?? ''}`.includes(key), 'an error does not repeat the key');
    return true;
  });
}
