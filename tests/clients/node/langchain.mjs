// @langchain/openai over both of its interfaces, and @langchain/anthropic.
import assert from 'node:assert/strict';
import { ChatAnthropic } from '@langchain/anthropic';
import { AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const openai = (more) => (model) => new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: `${url}/v1` }, ...more });
const clients = {
  'langchain-openai-chat': openai({}),
  'langchain-openai-responses': openai({ useResponsesApi: true }),
  'langchain-anthropic': (model) => new ChatAnthropic({ model, apiKey: key, maxRetries: 0, anthropicApiUrl: url, maxTokens: 64 }),
};
const tools = [{ type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } }];
const counted = ({ usage_metadata: { input_tokens, output_tokens } }) => [input_tokens, output_tokens];
const of = (call) => ({ id: call.id, name: call.name, given: call.args });

for (const [client, made] of Object.entries(clients)) {
  await overUpstreams(client, async (upstream, said) => {
    const ask = [new SystemMessage(system), new HumanMessage('hello')];
    const whole = await made(`${upstream}-chat`).invoke(ask);
    assert.equal(whole.text, text);
    assert.deepEqual(counted(whole), usage.chat);
    const last = await gathered(await made(`${upstream}-chat`).stream(ask));
    assert.equal(last.text, text);
    // One of them adds up what the first event and the last say of tokens: right for neither where these say it together.
    if (client !== 'langchain-anthropic') assert.deepEqual(counted(last), usage.chat);
    else assert.equal(counted(last)[upstream === 'anthropic' ? 0 : 1], usage.chat[upstream === 'anthropic' ? 0 : 1]);

    const called = await made(`${upstream}-tools`).bindTools(tools).invoke(ask);
    assert.equal(called.tool_calls.length, 1);
    isTheCall(upstream, of(called.tool_calls[0]));
    assert.deepEqual(counted(called), usage.tools);
    const pieces = await gathered(await made(`${upstream}-tools`).bindTools(tools).stream(ask));
    assert.equal(pieces.tool_calls.length, 1);
    isTheCall(upstream, of(pieces.tool_calls[0]));

    const result = new ToolMessage({ content: said(), tool_call_id: called.tool_calls[0].id, name: weather.name });
    assert.equal((await made(`${upstream}-chat`).bindTools(tools).invoke([...ask, called, result])).text, text);
    await rejects(made(`${upstream}-limited`).invoke(ask), (error) => assert.equal(error.status, 429, `${error}`));
  });
}

async function gathered(stream) {
  let all;
  for await (const chunk of stream) all = all === undefined ? chunk : all.concat(chunk);
  assert.ok(all instanceof AIMessageChunk);
  return all;
}
