// The openai package: chat completions and responses.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { speaks } from './chat_completions.mjs';
import { isTheCall, overUpstreams, rejects, system, text, usage, weather } from './lead.mjs';

const client = new OpenAI({ maxRetries: 0 });
const tools = [{ type: 'function', name: weather.name, description: weather.description, parameters: weather.schema, strict: false }];

await overUpstreams('openai-chat', (upstream, said) =>
  speaks((ask) => client.chat.completions.create(ask), upstream, said, OpenAI.RateLimitError));

await overUpstreams('openai-responses', async (upstream, said) => {
  const ask = { model: `${upstream}-chat`, instructions: system, input: 'hello' };
  const whole = await client.responses.create(ask);
  assert.deepEqual([whole.output_text, whole.status], [text, 'completed']);
  assert.deepEqual([whole.usage.input_tokens, whole.usage.output_tokens], usage.chat);
  let said_so_far = '';
  const stream = client.responses.stream(ask).on('response.output_text.delta', (event) => (said_so_far += event.delta));
  const last = await stream.finalResponse();
  assert.deepEqual([said_so_far, last.output_text, last.status], [text, text, 'completed']);
  assert.deepEqual([last.usage.input_tokens, last.usage.output_tokens], usage.chat);

  const called = await client.responses.create({ ...ask, model: `${upstream}-tools`, tools });
  const call = called.output.at(-1);
  isTheCall(upstream, { id: call.call_id, name: call.name, given: call.arguments });
  assert.deepEqual([called.usage.input_tokens, called.usage.output_tokens], usage.tools);
  const pieces = await client.responses.stream({ ...ask, model: `${upstream}-tools`, tools }).finalResponse();
  isTheCall(upstream, { id: pieces.output.at(-1).call_id, name: pieces.output.at(-1).name, given: pieces.output.at(-1).arguments });

  const input = [{ role: 'user', content: 'hello' }, ...called.output, { type: 'function_call_output', call_id: call.call_id, output: said() }];
  assert.equal((await client.responses.create({ ...ask, input, tools })).output_text, text);
  await rejects(client.responses.create({ ...ask, model: `${upstream}-limited` }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
    assert.match(error.message, /rate limit|quota|too many|later/i);
  });
});
