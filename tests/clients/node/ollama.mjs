// ollama.
import assert from 'node:assert/strict';
import { Ollama } from 'ollama';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const client = new Ollama({ host: url, headers: { Authorization: `Bearer ${key}` } });
const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
const counted = (answer) => [answer.prompt_eval_count, answer.eval_count];

await overUpstreams('ollama', async (upstream, said) => {
  const messages = [{ role: 'system', content: system }, { role: 'user', content: 'hello' }];
  const ask = { model: `${upstream}-chat`, messages };
  const whole = await client.chat(ask);
  assert.deepEqual([whole.message.content, whole.done, whole.done_reason], [text, true, 'stop']);
  assert.deepEqual(counted(whole), usage.chat);
  let said_so_far = '', last;
  for await (last of await client.chat({ ...ask, stream: true })) said_so_far += last.message.content ?? '';
  assert.deepEqual([said_so_far, last.done, last.done_reason], [text, true, 'stop']);
  assert.deepEqual(counted(last), usage.chat);
  assert.equal((await client.generate({ model: `${upstream}-chat`, prompt: 'hello' })).response, text);

  const asked = { ...ask, model: `${upstream}-tools`, tools };
  const called = await client.chat(asked);
  const [call] = called.message.tool_calls;
  isTheCall(upstream, { name: call.function.name, given: call.function.arguments });
  assert.deepEqual(counted(called), usage.tools);
  const calls = [];
  for await (const piece of await client.chat({ ...asked, stream: true })) calls.push(...(piece.message.tool_calls ?? []));
  assert.equal(calls.length, 1);
  isTheCall(upstream, { name: calls[0].function.name, given: calls[0].function.arguments });

  const results = [...messages, called.message, { role: 'tool', tool_name: call.function.name, content: said() }];
  assert.equal((await client.chat({ ...ask, messages: results, tools })).message.content, text);
  await rejects(client.chat({ ...ask, model: `${upstream}-limited` }), (error) => {
    assert.equal(error.name, 'ResponseError');
    assert.equal(error.status_code, 429);
    assert.match(error.message, /rate limit|quota|too many|later/i);
  });
});
