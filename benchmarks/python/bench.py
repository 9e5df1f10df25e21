"""What the Python binding costs: `python bench.py`, with sluice-gateway installed.

Over simulated upstreams that answer at once: CPU time of the process for an exchange that waits in a thread, that is awaited, and
that goes through the transport of httpx; and deltas a second of asyncio streams, many and one. CPU time is of all threads, engines
and simulated upstreams included; the first row of each shows how much of it is not Python's: the same, submitted and drained by
the native module alone.
"""

import argparse
import asyncio
import statistics
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


def floor(gateway):
    """No class of sluice: a list, a submit, a poll."""
    queue, native = _native.new_queue(), gateway._native
    asked = (None, CHAT, [], b'{"model":"short","stream":false,"messages":[{"role":"user","content":"hello"}]}', None, 0, 0, 0)

    def work(count):
        for tag in range(1, count + 1):
            native.submit(queue, tag, asked)
            lists = {tag: []}
            while lists:
                queue.wait(-1)
                queue.poll(lists)

    return work


def deltas(gateway, streams, rounds):
    """Deltas a second, the median of three."""

    async def read():
        count = 0
        for _ in range(rounds):
            async for _ in gateway.stream(CHAT, json=chat("long", stream=True)):
                count += 1
        return count

    async def all_of_them():
        return sum(await asyncio.gather(*(read() for _ in range(streams))))

    figures = []
    for _ in range(3):
        began = time.perf_counter()
        count = asyncio.run(all_of_them())
        figures.append(count / (time.perf_counter() - began))
    return statistics.median(figures)


def drained(gateway, streams):
    """Deltas a second that the native module makes objects of, nobody looking at them."""
    queue, native = _native.new_queue(), gateway._native
    body = b'{"model":"long","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    began, count = time.perf_counter(), 0
    lists = {tag: [] for tag in range(streams)}
    held = list(lists.values())
    for tag in range(streams):
        native.submit(queue, tag, (None, CHAT, [], body, None, 0, 0, 1))
    while lists:
        queue.wait(-1)
        queue.poll(lists)
    count = sum(map(len, held))
    return count / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="exchanges of each measurement (default: 5000)")
    arguments = parser.parse_args()
    count = arguments.count
    with sluice.Gateway(CONFIG, logger=None) as gateway:
        waited(gateway)(count // 10)
        rows = [
            ("native module alone", floor(gateway)),
            ("gateway.request", waited(gateway)),
            ("await gateway.arequest, 1 at once", awaited(gateway, 1)),
            ("await gateway.arequest, 100 at once", awaited(gateway, 100)),
        ]
        try:
            rows.append(("httpx.Client, sluice.httpx.Transport", through_httpx(gateway)))
        except ImportError:
            print("httpx is not installed: left out")
        print(f"{'an exchange':40} {'CPU us':>8} {'wall us':>8}")
        for name, work in rows:
            cpu, wall = cost(work, count)
            print(f"{name:40} {cpu:8.1f} {wall:8.1f}")
        print(f"\n{'deltas/s':40}")
        print(f"{'native module alone, 64 streams':40} {drained(gateway, 64):12,.0f}")
        for streams, rounds in ((1, 64), (64, 1)):
            print(f"{f'asyncio, {streams} streams':40} {deltas(gateway, streams, rounds):12,.0f}")


if __name__ == "__main__":
    main()
