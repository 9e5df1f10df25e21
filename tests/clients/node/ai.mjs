// The ai package, over each of its providers that speaks a dialect served here.
import assert from 'node:assert/strict';
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createCohere } from '@ai-sdk/cohere';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, streamText, tool } from 'ai';
import { isTheCall, key, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false; // that it does not know these models
const pair = { accessKeyId: process.env.SLUICE_AWS_ID, secretAccessKey: process.env.SLUICE_AWS_SECRET };
const openai = createOpenAI({ apiKey: key, baseURL: `${url}/v1` });
const providers = {
  'ai-openai-responses': openai,
  'ai-openai-chat': openai.chat,
  'ai-openai-compatible': createOpenAICompatible({ name: 'sluice', apiKey: key, baseURL: `${url}/v1`, includeUsage: true }),
  'ai-anthropic': createAnthropic({ apiKey: key, baseURL: `${url}/v1` }),
  'ai-google': createGoogleGenerativeAI({ apiKey: key, baseURL: `${url}/v1beta` }),
  'ai-cohere': createCohere({ apiKey: key, baseURL: `${url}/v2` }),
  'ai-mistral': createMistral({ apiKey: key, baseURL: `${url}/v1` }),
  'ai-amazon-bedrock': createAmazonBedrock({ baseURL: url, region: 'us-east-1', ...pair }),
};
const tools = { [weather.name]: tool({ description: weather.description, inputSchema: jsonSchema(weather.schema) }) };
const counted = ({ inputTokens, outputTokens }) => [inputTokens, outputTokens];
const of = (call) => ({ id: call.toolCallId, name: call.toolName, given: call.input });

for (const [client, provider] of Object.entries(providers)) {
  await overUpstreams(client, async (upstream, said) => {
    const ask = { model: provider(`${upstream}-chat`), system, prompt: 'hello', maxRetries: 0 };
    const whole = await generateText(ask);
    assert.deepEqual([whole.text, whole.finishReason], [text, 'stop']);
    assert.deepEqual(counted(whole.usage), usage.chat);
    const stream = streamText({ ...ask, onError: () => {} });
    let said_so_far = '';
    for await (const piece of stream.textStream) said_so_far += piece;
    assert.deepEqual([said_so_far, await stream.finishReason], [text, 'stop']);
    // Mistral's own servers tell the usage of a stream unasked; whoever speaks OpenAI's dialect asks for it, and this one does not.
    if (client !== 'ai-mistral') assert.deepEqual(counted(await stream.usage), usage.chat);

    const asked = { ...ask, model: provider(`${upstream}-tools`), tools };
    const called = await generateText(asked);
    assert.equal(called.toolCalls.length, 1);
    isTheCall(upstream, of(called.toolCalls[0]));
    assert.equal(called.finishReason, 'tool-calls');
    assert.deepEqual(counted(called.usage), usage.tools);
    const pieces = streamText({ ...asked, onError: () => {} });
    const calls = await pieces.toolCalls;
    assert.equal(calls.length, 1);
    isTheCall(upstream, of(calls[0]));
    assert.equal(await pieces.finishReason, 'tool-calls');

    const result = { type: 'tool-result', toolCallId: called.toolCalls[0].toolCallId, toolName: weather.name, output: { type: 'text', value: said() } };
    const messages = [{ role: 'user', content: 'hello' }, ...called.response.messages.filter((one) => one.role === 'assistant'), { role: 'tool', content: [result] }];
    assert.equal((await generateText({ model: ask.model, maxRetries: 0, messages, tools })).text, text);
    await rejects(generateText({ ...ask, model: provider(`${upstream}-limited`) }), (error) => {
      assert.ok(APICallError.isInstance(error), `${error}`);
      assert.equal(error.statusCode, 429);
    });
  });
}
