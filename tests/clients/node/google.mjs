// @google/genai.
import assert from 'node:assert/strict';
import { ApiError, FinishReason, GoogleGenAI } from '@google/genai';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const { models } = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
const tools = [{ functionDeclarations: [{ name: weather.name, description: weather.description, parametersJsonSchema: weather.schema }] }];
const counted = (answer) => [answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount];

await overUpstreams('google', async (upstream, said) => {
  const hello = { role: 'user', parts: [{ text: 'hello' }] };
  const ask = { model: `${upstream}-chat`, contents: 'hello', config: { systemInstruction: system } };
  const whole = await models.generateContent(ask);
  assert.deepEqual([whole.text, whole.candidates[0].finishReason], [text, FinishReason.STOP]);
  assert.deepEqual(counted(whole), usage.chat);
  let said_so_far = '', last;
  for await (last of await models.generateContentStream(ask)) said_so_far += last.text ?? '';
  assert.deepEqual([said_so_far, last.candidates[0].finishReason], [text, FinishReason.STOP]);
  assert.deepEqual(counted(last), usage.chat);

  const asked = { model: `${upstream}-tools`, contents: 'hello', config: { tools } };
  const called = await models.generateContent(asked);
  assert.equal(called.functionCalls.length, 1);
  const [call] = called.functionCalls;
  isTheCall(upstream, { id: call.id, name: call.name, given: call.args });
  assert.deepEqual(counted(called), usage.tools);
  const calls = [];
  for await (const piece of await models.generateContentStream(asked)) calls.push(...(piece.functionCalls ?? []));
  assert.equal(calls.length, 1);
  isTheCall(upstream, { id: calls[0].id, name: calls[0].name, given: calls[0].args });

  const result = { functionResponse: { id: call.id, name: call.name, response: { output: said() } } };
  const contents = [hello, called.candidates[0].content, { role: 'user', parts: [result] }];
  assert.equal((await models.generateContent({ ...ask, contents, config: { tools } })).text, text);
  await rejects(models.generateContent({ ...ask, model: `${upstream}-limited` }), (error) => {
    assert.ok(error instanceof ApiError, `${error}`);
    assert.equal(error.status, 429);
    assert.match(error.message, /RESOURCE_EXHAUSTED/);
  });
});
