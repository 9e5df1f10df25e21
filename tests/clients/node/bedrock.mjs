// @aws-sdk/client-bedrock-runtime, over HTTP/1.1; what it signs is verified.
import assert from 'node:assert/strict';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, ThrottlingException } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { isTheCall, overUpstreams, rejects, system, text, url, usage, weather } from './lead.mjs';

const pair = { accessKeyId: process.env.SLUICE_AWS_ID, secretAccessKey: process.env.SLUICE_AWS_SECRET };
const made = (credentials) => new BedrockRuntimeClient({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1, requestHandler: new NodeHttpHandler() });
const client = made(pair);
const toolConfig = { tools: [{ toolSpec: { name: weather.name, description: weather.description, inputSchema: { json: weather.schema } } }] };
const counted = ({ inputTokens, outputTokens }) => [inputTokens, outputTokens];

await overUpstreams('bedrock', async (upstream, said) => {
  const messages = [{ role: 'user', content: [{ text: 'hello' }] }];
  const ask = { modelId: `${upstream}-chat`, system: [{ text: system }], messages };
  const whole = await client.send(new ConverseCommand(ask));
  assert.deepEqual([whole.output.message.content[0].text, whole.stopReason], [text, 'end_turn']);
  assert.deepEqual(counted(whole.usage), usage.chat);
  const streamed = await gathered(ask);
  assert.deepEqual([streamed.text, streamed.stop], [text, 'end_turn']);
  assert.deepEqual(counted(streamed.usage), usage.chat);

  const asked = { ...ask, modelId: `${upstream}-tools`, toolConfig };
  const called = await client.send(new ConverseCommand(asked));
  const { toolUse } = called.output.message.content.at(-1);
  isTheCall(upstream, { id: toolUse.toolUseId, name: toolUse.name, given: toolUse.input });
  assert.equal(called.stopReason, 'tool_use');
  assert.deepEqual(counted(called.usage), usage.tools);
  const pieces = await gathered(asked);
  isTheCall(upstream, pieces);
  assert.equal(pieces.stop, 'tool_use');

  const result = { toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: said() }] } };
  const results = [...messages, called.output.message, { role: 'user', content: [result] }];
  assert.equal((await client.send(new ConverseCommand({ ...ask, messages: results, toolConfig }))).output.message.content[0].text, text);
  await rejects(client.send(new ConverseCommand({ ...ask, modelId: `${upstream}-limited` })), (error) => {
    assert.ok(error instanceof ThrottlingException, `${error}`);
    assert.equal(error.$metadata.httpStatusCode, 429);
  });
});
const hello = { modelId: 'openai-chat', messages: [{ role: 'user', content: [{ text: 'hello' }] }] };
await rejects(made({ ...pair, secretAccessKey: 'another/secret' }).send(new ConverseCommand(hello)), (error) => {
  assert.ok([401, 403].includes(error.$metadata.httpStatusCode), `${error}`);
});

async function gathered(ask) {
  const all = { text: '', id: '', name: '', given: '', stop: undefined, usage: undefined };
  for await (const event of (await client.send(new ConverseStreamCommand(ask))).stream) {
    const started = event.contentBlockStart?.start?.toolUse;
    if (started) Object.assign(all, { id: started.toolUseId, name: started.name });
    all.text += event.contentBlockDelta?.delta.text ?? '';
    all.given += event.contentBlockDelta?.delta.toolUse?.input ?? '';
    all.stop = event.messageStop?.stopReason ?? all.stop;
    all.usage = event.metadata?.usage ?? all.usage;
  }
  return all;
}
