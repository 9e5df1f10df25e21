// @anthropic-ai/sdk. Argument: the name it is installed under, since its older majors send other headers.
import assert from 'node:assert/strict';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const name = process.argv[2] ?? '@anthropic-ai/sdk';
const { default: Anthropic } = await import(name);
const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const tools = [{ name: weather.name, description: weather.description, input_schema: weather.schema }];

await overUpstreams(name.replace(/\W+/g, '-'), async (upstream, said) => {
  const hello = [{ role: 'user', content: 'hello' }];
  const ask = { model: `${upstream}-chat`, max_tokens: 64, system, messages: hello };
  const whole = await client.messages.create(ask);
  assert.deepEqual([whole.content[0].text, whole.stop_reason, whole.role], [text, 'end_turn', 'assistant']);
  assert.deepEqual([whole.usage.input_tokens, whole.usage.output_tokens], usage.chat);
  let said_so_far = '';
  const last = await client.messages.stream(ask).on('text', (piece) => (said_so_far += piece)).finalMessage();
  assert.deepEqual([said_so_far, last.content[0].text, last.stop_reason], [text, text, 'end_turn']);
  assert.deepEqual([last.usage.input_tokens, last.usage.output_tokens], usage.chat);

  const asked = { ...ask, model: `${upstream}-tools`, tools };
  const called = await client.messages.create(asked);
  const call = called.content.at(-1);
  isTheCall(upstream, { id: call.id, name: call.name, given: call.input });
  assert.equal(called.stop_reason, 'tool_use');
  assert.deepEqual([called.usage.input_tokens, called.usage.output_tokens], usage.tools);
  const pieces = await client.messages.stream(asked).finalMessage();
  isTheCall(upstream, { id: pieces.content.at(-1).id, name: pieces.content.at(-1).name, given: pieces.content.at(-1).input });
  assert.equal(pieces.stop_reason, 'tool_use');

  const messages = [...hello, { role: 'assistant', content: called.content },
                    { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: said() }] }];
  assert.equal((await client.messages.create({ ...ask, messages, tools })).content[0].text, text);
  await rejects(client.messages.create({ ...ask, model: `${upstream}-limited` }), (error) => {
    assert.ok(error instanceof Anthropic.RateLimitError, `${error}`);
    assert.deepEqual([error.error.type, error.error.error.type], ['error', 'rate_limit_error']);
    assert.match(error.error.error.message, /rate limit|quota|too many|later/i);
  });
});
await rejects(new Anthropic({ apiKey: 'sk-wrong', baseURL: url, maxRetries: 0 }).messages.create({ model: 'openai-chat', max_tokens: 9, messages: [] }),
              (error) => assert.ok(error instanceof Anthropic.AuthenticationError, `${error}`));
await rejects(client.messages.create({ model: 'no-such-model', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }), (error) => {
  assert.ok(error instanceof Anthropic.NotFoundError, `${error}`);
  assert.match(error.message, /no-such-model/);
});
