// @mistralai/mistralai: OpenAI's paths, fields in the names of its own.
import assert from 'node:assert/strict';
import { Mistral } from '@mistralai/mistralai';
import { MistralError } from '@mistralai/mistralai/models/errors';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const client = new Mistral({ apiKey: key, serverURL: url, retryConfig: { strategy: 'none' } });
const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
const counted = (one) => [one.promptTokens, one.completionTokens];

await overUpstreams('mistral', async (upstream, said) => {
  const messages = [{ role: 'system', content: system }, { role: 'user', content: 'hello' }];
  const ask = { model: `${upstream}-chat`, messages, maxTokens: 64 };
  const whole = await client.chat.complete(ask);
  assert.deepEqual([whole.choices[0].message.content, whole.choices[0].finishReason], [text, 'stop']);
  assert.deepEqual(counted(whole.usage), usage.chat);
  const streamed = await gathered(await client.chat.stream(ask));
  assert.deepEqual([streamed.text, streamed.finish], [text, 'stop']);

  const asked = { ...ask, model: `${upstream}-tools`, tools };
  const called = await client.chat.complete(asked);
  const [call] = called.choices[0].message.toolCalls;
  isTheCall(upstream, { id: call.id, name: call.function.name, given: call.function.arguments });
  assert.equal(called.choices[0].finishReason, 'tool_calls');
  assert.deepEqual(counted(called.usage), usage.tools);
  // No streamed call: it wants the function's name in every piece of one, which OpenAI's dialect says once.

  const results = [...messages, { ...called.choices[0].message, role: 'assistant' }, { role: 'tool', toolCallId: call.id, name: call.function.name, content: said() }];
  assert.equal((await client.chat.complete({ ...ask, messages: results, tools })).choices[0].message.content, text);
  await rejects(client.chat.complete({ ...ask, model: `${upstream}-limited` }), (error) => {
    assert.ok(error instanceof MistralError, `${error}`);
    assert.equal(error.statusCode, 429);
  });
});

async function gathered(stream) {
  const all = { text: '', finish: null };
  for await (const { data } of stream) {
    all.text += data.choices[0]?.delta.content ?? '';
    all.finish = data.choices[0]?.finishReason ?? all.finish;
  }
  return all;
}
