"""One stream, by a task and by a thread: deltas as they come, and leaving early. prints:

    One two three four five.
    One two three
    1 completed, 1 cancelled
"""

import asyncio

import sluice

CONFIG = {
    "version": 1,
    "upstreams": [
        {"name": "teller", "provider": "simulator", "simulator": {"answer": "One two three four five.", "tokens_per_second": 100}},
        {"name": "endless", "provider": "simulator", "simulator": {"answer": "One two three, and so on. " * 999, "tokens_per_second": 100}},
    ],
    "routes": [
        {"name": "short", "match": {"model": ["short"]}, "upstreams": [{"name": "teller"}]},
        {"name": "long", "match": {"model": ["long"]}, "upstreams": [{"name": "endless"}]},
    ],
}


def story(model):
    return {"model": model, "messages": [{"role": "user", "content": "count"}], "stream": True}


async def main(gateway):
    # A task that is cancelled cancels its call; so does leaving the block.
    async with gateway.stream("/v1/chat/completions", json=story("short")) as stream:
        async for event in stream:
            print(event.text, end="", flush=True)
    print()


with sluice.Gateway(CONFIG) as gateway:
    asyncio.run(main(gateway))

    with gateway.stream("/v1/chat/completions", json=story("long")) as stream:
        print("".join(next(stream).text for _ in range(3)))
    try:
        list(stream)
    except sluice.CancelledError:
        pass
    while gateway.statistics().exchanges_open:
        pass
    counted = gateway.statistics()
    print(f"{counted.completed} completed, {counted.cancelled} cancelled")
