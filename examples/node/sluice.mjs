// sluice over its C ABI, by koffi: a gateway, and streams that wait for their reader. It knows capi/include/sluice.h and no more.
// One poll waits on a thread of libuv's pool for all streams together; no callback of C ever enters Node.
import koffi from 'koffi';

const library = koffi.load(process.env.SLUICE_LIBRARY ?? 'libsluice_c.so');
const NUL_TERMINATED = 0xffffffffffffffffn;
const HEAD = 1, CHUNK = 2, DELTA = 3, END = 4; // SLUICE_EVENT_*
const COMPLETED = 0, DELTAS = 1; // SLUICE_ENDING_COMPLETED, SLUICE_ANSWER_DELTAS
const TEXT = 0; // SLUICE_CHANNEL_TEXT
const EVENT_SIZE = 64, CAPACITY = 64;

for (const handle of ['error', 'gateway', 'queue']) koffi.opaque(`sluice_${handle}_t`);
koffi.struct('sluice_bytes_t', { data: 'void *', size: 'size_t' });
koffi.struct('sluice_request_t', {
  struct_size: 'size_t', method: 'str', method_size: 'size_t', target: 'str', target_size: 'size_t', headers: 'void *', header_count: 'size_t',
  body: 'str', body_size: 'size_t', consumer: 'str', consumer_size: 'size_t', deadline_ms: 'int64_t', credit: 'uint64_t', answer: 'int32_t',
  flags: 'uint32_t',
});
const c = Object.fromEntries(Object.entries({
  error_message: 'sluice_bytes_t sluice_error_message(const sluice_error_t *error)',
  error_free: 'void sluice_error_free(sluice_error_t *error)',
  open: 'int32_t sluice_gateway_open_json(str json, size_t size, _Out_ sluice_gateway_t **gateway, _Out_ sluice_error_t **err)',
  close: 'int32_t sluice_gateway_close(sluice_gateway_t *gateway, _Out_ sluice_error_t **err)',
  free: 'void sluice_gateway_free(sluice_gateway_t *gateway)',
  queue_new: 'int32_t sluice_queue_new(_Out_ sluice_queue_t **queue, _Out_ sluice_error_t **err)',
  queue_free: 'void sluice_queue_free(sluice_queue_t *queue)',
  poll: 'int32_t sluice_queue_poll(sluice_queue_t *queue, uint8_t *events, size_t event_size, size_t capacity, int32_t timeout_ms, ' +
        '_Out_ size_t *count, _Out_ sluice_error_t **err)',
  arena: 'sluice_bytes_t sluice_queue_arena(const sluice_queue_t *queue)',
  wake: 'int32_t sluice_queue_wake(sluice_queue_t *queue, _Out_ sluice_error_t **err)',
  submit: 'int32_t sluice_submit(sluice_gateway_t *gateway, sluice_queue_t *queue, const sluice_request_t *request, uint64_t tag, ' +
          '_Out_ uint64_t *call, _Out_ sluice_error_t **err)',
  credit: 'int32_t sluice_call_credit(sluice_gateway_t *gateway, uint64_t call, uint64_t bytes, _Out_ sluice_error_t **err)',
  cancel: 'int32_t sluice_call_cancel(sluice_gateway_t *gateway, uint64_t call, _Out_ sluice_error_t **err)',
}).map(([name, prototype]) => [name, library.func(prototype)]));

/** The text of borrowed bytes. */
function text({ data, size }) {
  return size ? Buffer.from(koffi.decode(data, koffi.array('uint8_t', Number(size), 'Typed'))).toString() : '';
}

/** Throws what C said went wrong, and frees it. */
function check(code, err) {
  if (code === 0) return;
  const message = text(c.error_message(err[0]));
  c.error_free(err[0]);
  throw Object.assign(new Error(message), { code });
}

/** What a call of C gives through its last two parameters: a handle or a number, and an error. */
function made(call) {
  const out = [null], err = [null];
  check(call(out, err), err);
  return out[0];
}

/** A gateway with one queue for all its streams. Close it: its threads end then, and so can the program. */
export class Gateway {
  #gateway;
  #queue;
  #streams = new Map(); // by tag
  #tag = 0;
  #closing = false;
  #polled;

  /** @param config an object that becomes the configuration (docs/configuration.md) */
  constructor(config) {
    this.#gateway = made((out, err) => c.open(JSON.stringify(config), NUL_TERMINATED, out, err));
    this.#queue = made((out, err) => c.queue_new(out, err));
    this.#polled = this.#poll();
  }

  /**
   * The text of an answer, as it comes: an async iterable of strings. No more than `window` bytes (and what was on its way, 64 KiB
   * at most) come before they are read: then the upstream of this stream waits, and nobody else's. Leaving the loop early ends the
   * answer at its upstream.
   */
  stream(target, body, { window = 16384, consumer } = {}) {
    const tag = ++this.#tag;
    const request = {
      struct_size: koffi.sizeof('sluice_request_t'), method: 'POST', method_size: NUL_TERMINATED, target, target_size: NUL_TERMINATED,
      headers: null, header_count: 0, body: JSON.stringify(body), body_size: NUL_TERMINATED, consumer: consumer ?? null,
      consumer_size: consumer === undefined ? 0 : NUL_TERMINATED, deadline_ms: 0, credit: window, answer: DELTAS, flags: 0,
    };
    const call = made((out, err) => c.submit(this.#gateway, this.#queue, request, tag, out, err));
    const stream = new Stream(
      (bytes) => { if (!this.#closing) check(...pair((err) => c.credit(this.#gateway, call, bytes, err))); },
      () => { if (!this.#closing) check(...pair((err) => c.cancel(this.#gateway, call, err))); });
    this.#streams.set(tag, stream);
    return stream;
  }

  /** Ends what is open and gives all back. */
  async close() {
    if (this.#closing) return this.#polled;
    this.#closing = true;
    // It waits for the engine threads: on a thread of the pool, not on Node's own.
    const err = [null];
    check(await later(c.close, this.#gateway, err), err);
    check(...pair((err) => c.wake(this.#queue, err)));
    await this.#polled;
    c.free(this.#gateway);
    c.queue_free(this.#queue);
  }

  /** Takes batches out of the queue until the gateway is closed and every stream has had its END. */
  async #poll() {
    const events = Buffer.alloc(EVENT_SIZE * CAPACITY);
    for (;;) {
      const count = [0], err = [null];
      check(await later(c.poll, this.#queue, events, EVENT_SIZE, CAPACITY, -1, count, err), err);
      const arena = c.arena(this.#queue);
      const bytes = arena.size ? Buffer.from(koffi.decode(arena.data, koffi.array('uint8_t', Number(arena.size), 'Typed'))) : Buffer.alloc(0);
      for (let i = 0; i < Number(count[0]); ++i) this.#deliver(events.subarray(i * EVENT_SIZE), bytes);
      if (this.#closing && this.#streams.size === 0) return;
    }
  }

  /** One sluice_event_t. */
  #deliver(event, arena) {
    const tag = Number(event.readBigUInt64LE(0)), offset = event.readUInt32LE(24), size = event.readUInt32LE(28);
    const kind = event.readInt32LE(32), status = event.readInt32LE(36), code = event.readInt32LE(40), detail = event.readInt32LE(44);
    const stream = this.#streams.get(tag), data = arena.subarray(offset, offset + size);
    if (kind === HEAD) stream.status = status;
    else if (kind === CHUNK || kind === DELTA) stream.put(data, kind === DELTA && event.readInt32LE(52) === TEXT);
    else if (kind === END) {
      this.#streams.delete(tag);
      stream.end(detail === COMPLETED && stream.status < 400 ? null : Object.assign(new Error(data.toString() || `status ${stream.status}`), { code, status: stream.status }));
    }
  }
}

const later = (call, ...args) => new Promise((resolve, reject) => call.async(...args, (error, value) => (error ? reject(error) : resolve(value))));
const pair = (call) => { const err = [null]; return [call(err), err]; };

/** One answer. Its parts wait here until they are read; the bytes that were are given back as credit. */
class Stream {
  status = 0;
  waiting = 0; // bytes that came and were not read
  most = 0; // the most of them there ever were
  #parts = [];
  #done = false;
  #error = null;
  #wake = () => {};
  #credit;
  #cancel;

  constructor(credit, cancel) {
    this.#credit = credit;
    this.#cancel = cancel;
  }

  put(data, shown) {
    this.#parts.push({ text: shown ? data.toString() : '', size: data.length });
    this.waiting += data.length;
    this.most = Math.max(this.most, this.waiting);
    this.#wake();
  }

  end(error) {
    this.#done = true;
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#parts.length !== 0) {
          const { text, size } = this.#parts.shift();
          this.waiting -= size;
          if (text) yield text;
          if (!this.#done) this.#credit(size);
        }
        if (this.#done) break;
        await new Promise((resolve) => { this.#wake = resolve; });
      }
      if (this.#error) throw this.#error;
    } finally {
      if (!this.#done) this.#cancel();
    }
  }
}
