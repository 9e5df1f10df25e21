// The openai package for Node, unchanged, pointed at sluiced by its environment and nothing else.
// Argument: the name the package is installed under.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(process.env.SLUICE_MODULES + '/');
const { default: OpenAI } = require(process.argv[2]);
const client = new OpenAI({ maxRetries: 0 });
const hello = [{ role: 'user', content: 'hello' }];

// A whole answer, with its account.
{
  const answer = await client.chat.completions.create({ model: 'gpt-4o-mini', messages: hello });
  assert.equal(answer.choices[0].message.content, 'Hello there, stranger.');
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens], [11, 5]);
  assert.ok(answer._request_id, 'the answer carries a request id');
}

// The same under a name only the gateway knows.
{
  const answer = await client.chat.completions.create({ model: 'smart', messages: hello });
  assert.equal(answer.choices[0].message.content, 'Hello there, stranger.');
}

// A stream: the text in order, no usage where none was asked for.
{
  const stream = await client.chat.completions.create({ model: 'gpt-4o-mini', messages: hello, stream: true });
  let text = '', finish = null, usages = 0, events = 0;
  for await (const chunk of stream) {
    events += 1;
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    if ('usage' in chunk) usages += 1;
  }
  assert.equal(text, 'Hello there, stranger.');
  assert.equal(finish, 'stop');
  assert.equal(usages, 0, 'usage was not asked for, so no chunk speaks of it');
  assert.ok(events > 2);
}

// A stream that asks for usage gets it, last.
{
  const stream = await client.chat.completions.create({
    model: 'gpt-4o-mini', messages: hello, stream: true, stream_options: { include_usage: true },
  });
  let last;
  for await (const chunk of stream) last = chunk;
  assert.deepEqual(last.choices, []);
  assert.deepEqual([last.usage.prompt_tokens, last.usage.completion_tokens], [11, 5]);
}

// STREAM-14: the pings of a silent stream are nothing to the client.
{
  let text = '';
  for await (const chunk of await client.chat.completions.create({ model: 'thinking', messages: hello, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
  }
  assert.equal(text, 'At last.');
}

// Tools, whole and streamed.
{
  const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }];
  const answer = await client.chat.completions.create({ model: 'gpt-4o', messages: hello, tools });
  const call = answer.choices[0].message.tool_calls[0];
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  assert.deepEqual([call.id, call.function.name], ['call_1', 'get_weather']);
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Köln', unit: 'C' });

  const stream = await client.chat.completions.create({ model: 'gpt-4o', messages: hello, tools, stream: true });
  let name = '', given = '';
  for await (const chunk of stream) {
    for (const delta of chunk.choices[0]?.delta?.tool_calls ?? []) {
      name += delta.function?.name ?? '';
      given += delta.function?.arguments ?? '';
    }
  }
  assert.equal(name, 'get_weather');
  assert.deepEqual(JSON.parse(given), { city: 'Köln', unit: 'C' });
}

// Embeddings: the package asks for base64 and decodes it; floats on request.
{
  const packed = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] });
  assert.equal(packed.data.length, 2);
  assert.equal(packed.data[0].embedding.length, 8);
  const plain = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', encoding_format: 'float' });
  plain.data[0].embedding.forEach((x, i) => assert.ok(Math.abs(x - packed.data[0].embedding[i]) < 1e-6));
}

// Completions, moderations, models.
{
  const completion = await client.completions.create({ model: 'gpt-4o-mini', prompt: 'once' });
  assert.equal(completion.choices[0].text, 'Hello there, stranger.');
  const moderation = await client.moderations.create({ model: 'omni-moderation-latest', input: '[violence]' });
  assert.equal(moderation.results[0].flagged, true);
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes('gpt-4o-mini'), names.join());
  assert.equal((await client.models.retrieve('gpt-4o-mini')).id, 'gpt-4o-mini');
}

// Errors have the classes and fields a program branches on.
await assert.rejects(client.chat.completions.create({ model: 'no-such-model', messages: hello }), (error) => {
  assert.ok(error instanceof OpenAI.NotFoundError, `${error}`);
  assert.equal(error.status, 404);
  assert.match(error.message, /no-such-model/);
  return true;
});
await assert.rejects(new OpenAI({ maxRetries: 0, apiKey: 'sk-wrong' }).chat.completions.create({ model: 'gpt-4o', messages: hello }), (error) => {
  assert.ok(error instanceof OpenAI.AuthenticationError, `${error}`);
  assert.ok(!error.message.includes('sk-wrong'), 'an error does not repeat the key');
  return true;
});
await assert.rejects(client.chat.completions.create({ model: 'limited', messages: hello }), (error) => {
  assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
  return true;
});

// BAL-38: these retry on their own, twice, unless they are told not to.
{
  const { default: Anthropic } = require('@anthropic-ai/sdk');
  const patient = new OpenAI({ maxRetries: 2 });
  await assert.rejects(patient.chat.completions.create({ model: 'down', messages: hello }), (error) => error.status === 503);
  const other = new Anthropic({ maxRetries: 2 });
  await assert.rejects(other.messages.create({ model: 'claude', max_tokens: 9, messages: hello }), (error) => error.status === 503);
}

// Leaving in the middle.
{
  const stream = await client.chat.completions.create({ model: 'slow', messages: hello, stream: true });
  let chunks = 0;
  for await (const _ of stream) {
    if (++chunks === 3) stream.controller.abort();
  }
  assert.ok(chunks >= 3);
}
