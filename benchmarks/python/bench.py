"""What the Python binding costs: `python bench.py`, with sluice-gateway installed.

Over simulated upstreams that answer at once: CPU time of the process for an exchange that waits in a thread, that is awaited, and
that goes through the transport of httpx; and deltas of asyncio streams, many and one. CPU time is of all threads, engines and
simulated upstreams included; "loop" is that of the thread that reads. The rows of the native module alone are the floor: the
same, submitted and drained by it.
"""

import argparse
import asyncio
import time

import sluice
from sluice import _native

CHAT = "/v1/chat/completions"
WORDS = 2000
CONFIG = {
    "version": 1,
    "gateway": {"name": "bench", "threads": 1},
    "upstreams": [
        {"name": "short", "provider": "simulator", "simulator": {"answer": "Hello there, stranger."}},
        {"name": "long", "provider": "simulator", "simulator": {"answer": "word " * WORDS}},
    ],
    "routes": [
        {"name": "long", "match": {"model": ["long"]}, "upstreams": [{"name": "long"}]},
        {"name": "short", "upstreams": [{"name": "short"}]},
    ],
}


def chat(model, stream=False):
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}


def cost(work, count):
    """CPU microseconds, and those of the wall, for each of `count`; the best of three."""
    figures = []
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        work(count)
        figures.append(((time.process_time() - cpu) / count * 1e6, (time.perf_counter() - wall) / count * 1e6))
    return min(figures)


def waited(gateway):
    def work(count):
        for _ in range(count):
            gateway.request(CHAT, json=chat("short"))

    return work


def awaited(gateway, at_once):
    def work(count):
        async def one():
            for _ in range(count // at_once):
                await gateway.arequest(CHAT, json=chat("short"))

        async def all_of_them():
            await asyncio.gather(*(one() for _ in range(at_once)))

        asyncio.run(all_of_them())

    return work


def through_httpx(gateway):
    import httpx
    import sluice.httpx

    client = httpx.Client(transport=sluice.httpx.Transport(gateway), base_url="http://sluice")

    def work(count):
        for _ in range(count):
            client.post(CHAT, json=chat("short")).raise_for_status()

    return work


def floor(gateway, at_once):
    """No class of sluice: lists, submits, polls."""
    queue, native = _native.new_queue(), gateway._native
    asked = (None, CHAT, [], b'{"model":"short","stream":false,"messages":[{"role":"user","content":"hello"}]}', None, 0, 0, 0)

    def work(count):
        tag, lists = 0, {}
        while tag < count or lists:
            while tag < count and len(lists) < at_once:
                tag += 1
                native.submit(queue, tag, asked)
                lists[tag] = []
            queue.wait(-1)
            queue.poll(lists)

    return work


def deltas(gateway, streams, rounds):
    """Deltas a second, CPU nanoseconds of the loop's thread for each, and of the whole process; the median of three."""

    async def read():
        count = 0
        for _ in range(rounds):
            async for _ in gateway.stream(CHAT, json=chat("long", stream=True)):
                count += 1
        return count

    async def all_of_them():
        return sum(await asyncio.gather(*(read() for _ in range(streams))))

    return measured(lambda: asyncio.run(all_of_them()))


def drained(gateway, streams):
    """The same for objects that the native module makes, nobody looking at them."""
    queue, native = _native.new_queue(), gateway._native
    body = b'{"model":"long","stream":true,"messages":[{"role":"user","content":"hello"}]}'

    def work():
        lists = {tag: [] for tag in range(streams)}
        held = list(lists.values())
        for tag in range(streams):
            native.submit(queue, tag, (None, CHAT, [], body, None, 0, 0, 1))
        while lists:
            queue.wait(-1)
            queue.poll(lists)
        return sum(map(len, held))

    return measured(work)


def measured(work):
    figures = []
    for _ in range(3):
        wall, thread, process = time.perf_counter(), time.thread_time(), time.process_time()
        count = work()
        figures.append((count / (time.perf_counter() - wall), (time.thread_time() - thread) / count * 1e9, (time.process_time() - process) / count * 1e9))
    return sorted(figures)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="exchanges of each measurement (default: 5000)")
    arguments = parser.parse_args()
    count = arguments.count
    with sluice.Gateway(CONFIG, logger=None) as gateway:
        waited(gateway)(count // 10)
        rows = [
            ("native module alone, 1 at once", floor(gateway, 1)),
            ("native module alone, 64 at once", floor(gateway, 64)),
            ("gateway.request", waited(gateway)),
            ("await gateway.arequest, 1 at once", awaited(gateway, 1)),
            ("await gateway.arequest, 64 at once", awaited(gateway, 64)),
        ]
        try:
            rows.append(("httpx.Client, sluice.httpx.Transport", through_httpx(gateway)))
        except ImportError:
            print("httpx is not installed: left out")
        print(f"{'an exchange':40} {'CPU us':>8} {'wall us':>8}")
        for name, work in rows:
            cpu, wall = cost(work, count)
            print(f"{name:40} {cpu:8.1f} {wall:8.1f}")
        print(f"\n{'a delta':40} {'per s':>10} {'loop ns':>8} {'CPU ns':>8}")
        kinds = [("native module alone, 64 streams", drained(gateway, 64))]
        kinds += [(f"asyncio, {streams} at once", deltas(gateway, streams, 64 // streams)) for streams in (1, 64)]
        for name, (rate, thread, process) in kinds:
            print(f"{name:40} {rate:10,.0f} {thread:8.0f} {process:8.0f}")


if __name__ == "__main__":
    main()
