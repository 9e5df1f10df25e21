// A client that speaks OpenAI's chat completions as OpenAI's own does, whoever made it. `create(ask)`: its call.
import assert from 'node:assert/strict';
import { city, isTheCall, rejects, system, text, usage, weather } from './lead.mjs';

const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];

export async function speaks(create, upstream, said, RateLimitError) {
  const messages = [{ role: 'system', content: system }, { role: 'user', content: 'hello' }];
  const chat = { model: `${upstream}-chat`, messages, max_tokens: 64 };
  const whole = await create(chat);
  assert.equal(whole.choices[0].message.content, text);
  assert.equal(whole.choices[0].finish_reason, 'stop');
  assert.deepEqual([whole.usage.prompt_tokens, whole.usage.completion_tokens], usage.chat);

  const streamed = await gathered(await create({ ...chat, stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual([streamed.text, streamed.finish, streamed.calls], [whole.choices[0].message.content, 'stop', []]);
  assert.deepEqual([streamed.usage.prompt_tokens, streamed.usage.completion_tokens], usage.chat);

  const asked = { ...chat, model: `${upstream}-tools`, tools };
  const called = await create(asked);
  const [call] = called.choices[0].message.tool_calls;
  isTheCall(upstream, { id: call.id, name: call.function.name, given: call.function.arguments });
  assert.equal(called.choices[0].finish_reason, 'tool_calls');
  assert.deepEqual([called.usage.prompt_tokens, called.usage.completion_tokens], usage.tools);
  const pieces = await gathered(await create({ ...asked, stream: true }));
  assert.equal(pieces.calls.length, 1);
  isTheCall(upstream, pieces.calls[0]);
  assert.equal(pieces.finish, 'tool_calls');
  assert.equal(pieces.usage, undefined, 'usage was not asked for');

  const results = [...messages, { ...called.choices[0].message, content: called.choices[0].message.content ?? '' },
                   { role: 'tool', tool_call_id: call.id, content: said() }];
  assert.equal((await create({ ...chat, messages: results, tools })).choices[0].message.content, text);

  await rejects(create({ ...chat, model: `${upstream}-limited` }), (error) => {
    assert.ok(error instanceof RateLimitError, `${error.constructor.name}: ${error}`);
    assert.equal(error.status, 429);
    assert.match(error.message, /rate limit|quota|too many|later/i);
  });
}

async function gathered(stream) {
  const all = { text: '', finish: null, calls: [], usage: undefined };
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    all.text += choice?.delta?.content ?? '';
    all.finish = choice?.finish_reason ?? all.finish;
    all.usage = chunk.usage ?? all.usage;
    for (const delta of choice?.delta?.tool_calls ?? []) {
      const call = (all.calls[delta.index] ??= { id: '', name: '', given: '' });
      call.id += delta.id ?? '';
      call.name += delta.function?.name ?? '';
      call.given += delta.function?.arguments ?? '';
    }
  }
  return all;
}
