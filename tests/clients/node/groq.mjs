// groq-sdk, whose paths begin with /openai.
import Groq from 'groq-sdk';
import { speaks } from './chat_completions.mjs';
import { key, overUpstreams, url } from './lead.mjs';

const client = new Groq({ apiKey: key, baseURL: url, maxRetries: 0 });
await overUpstreams('groq', (upstream, said) => speaks((ask) => client.chat.completions.create(ask), upstream, said, Groq.RateLimitError));
