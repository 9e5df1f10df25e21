// together-ai.
import Together from 'together-ai';
import { speaks } from './chat_completions.mjs';
import { key, overUpstreams, url } from './lead.mjs';

const client = new Together({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
await overUpstreams('together', (upstream, said) => speaks((ask) => client.chat.completions.create(ask), upstream, said, Together.RateLimitError));
