// cohere-ai, version 2 of its interface.
import assert from 'node:assert/strict';
import { CohereClientV2, CohereError } from 'cohere-ai';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const client = new CohereClientV2({ token: key, environment: url });
const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
const counted = ({ tokens }) => [tokens.inputTokens, tokens.outputTokens];

await overUpstreams('cohere', async (upstream, said) => {
  const messages = [{ role: 'system', content: system }, { role: 'user', content: 'hello' }];
  const ask = { model: `${upstream}-chat`, messages };
  const whole = await client.chat(ask);
  assert.deepEqual([whole.message.content[0].text, whole.finishReason], [text, 'COMPLETE']);
  assert.deepEqual(counted(whole.usage), usage.chat);
  const streamed = await gathered(await client.chatStream(ask));
  assert.deepEqual([streamed.text, streamed.end.finishReason], [text, 'COMPLETE']);
  assert.deepEqual(counted(streamed.end.usage), usage.chat);

  const asked = { ...ask, model: `${upstream}-tools`, tools };
  const called = await client.chat(asked);
  const [call] = called.message.toolCalls;
  isTheCall(upstream, { id: call.id, name: call.function.name, given: call.function.arguments });
  assert.equal(called.finishReason, 'TOOL_CALL');
  assert.deepEqual(counted(called.usage), usage.tools);
  const pieces = await gathered(await client.chatStream(asked));
  isTheCall(upstream, pieces);
  assert.equal(pieces.end.finishReason, 'TOOL_CALL');

  const results = [...messages, called.message, { role: 'tool', toolCallId: call.id, content: said() }];
  assert.equal((await client.chat({ ...ask, messages: results, tools })).message.content[0].text, text);
  await rejects(client.chat({ ...ask, model: `${upstream}-limited` }, { maxRetries: 0 }), (error) => {
    assert.ok(error instanceof CohereError, `${error}`);
    assert.equal(error.statusCode, 429);
  });
});

async function gathered(stream) {
  const all = { text: '', id: '', name: '', given: '', end: undefined };
  for await (const { type, delta } of stream) {
    if (type === 'content-delta') all.text += delta.message.content.text;
    if (type === 'tool-call-start') Object.assign(all, { id: delta.message.toolCalls.id, name: delta.message.toolCalls.function.name });
    if (type === 'tool-call-start' || type === 'tool-call-delta') all.given += delta.message.toolCalls.function.arguments ?? '';
    if (type === 'message-end') all.end = delta;
  }
  return all;
}
