// voyageai: documents ranked and texts embedded, by upstreams that can.
import assert from 'node:assert/strict';
import { VoyageAIClient, VoyageAIError } from 'voyageai';
import { key, overUpstreams, rejects } from './lead.mjs';

const client = new VoyageAIClient({ apiKey: key, environment: `${process.env.SLUICE_VOYAGE_URL}/v1` });
const documents = ['Rain over Cologne.', 'A recipe for bread.', 'The weather tomorrow.'];

await overUpstreams('voyage-rerank', async (upstream) => {
  const ask = { model: `${upstream}-chat`, query: 'weather', documents, topK: 2 };
  const ranked = await client.rerank(ask);
  assert.equal(ranked.data.length, 2);
  const scores = ranked.data.map((one) => one.relevanceScore);
  assert.ok(scores[0] >= scores[1] && scores.every((one) => one >= 0 && one <= 1), scores.join());
  assert.equal(new Set(ranked.data.map((one) => one.index)).size, 2);
  await rejects(client.rerank({ ...ask, model: `${upstream}-limited` }, { maxRetries: 0 }), (error) => {
    assert.ok(error instanceof VoyageAIError, `${error}`);
    assert.equal(error.statusCode, 429);
  });
}, { except: ['openai', 'openai-responses', 'anthropic', 'gemini', 'ollama', 'bedrock'] });

await overUpstreams('voyage-embed', async (upstream) => {
  const embedded = await client.embed({ model: `${upstream}-chat`, input: ['one', 'two'] });
  assert.deepEqual(embedded.data.map((one) => one.index), [0, 1]);
  for (const { embedding } of embedded.data) assert.ok(embedding.length >= 8 && embedding.every((one) => typeof one === 'number'));
}, { except: ['openai-responses', 'anthropic', 'bedrock'] });
