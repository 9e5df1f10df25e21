"""Streams in tasks: iteration, cancelling, time-outs, many at once, loops that end, and what a slow reader costs."""

import asyncio
import gc
import threading
import weakref

import pytest
import sluice
from conftest import CHAT, PATIENCE, SLOW, becomes, configuration, hello
from sluice.calls import WINDOW


async def text_of(gateway, model="smart"):
    return "".join([event.text async for event in gateway.stream(CHAT, json=hello(model, stream=True))])


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


# ABI-11
def test_a_stream_is_iterated_by_a_task():
    async def main():
        async with sluice.Gateway(configuration()) as gateway:
            async with gateway.stream(CHAT, json=hello(stream=True)) as stream:
                texts = [event.text async for event in stream]
            assert "".join(texts) == "Hello there, stranger." and len(texts) > 1
            assert stream.outcome.streamed
            assert [event async for event in stream] == []
        assert gateway.closed

    run(main())


def test_a_whole_answer_is_awaited(gateway):
    async def main():
        answer = await gateway.arequest(CHAT, json=hello())
        assert answer.json()["choices"][0]["message"]["content"] == "Hello there, stranger."
        with pytest.raises(sluice.RequestError) as caught:
            await gateway.arequest(CHAT, json=hello("no-such-model"))
        assert caught.value.code == "route_not_found"

    run(main())


def test_a_task_that_is_cancelled_cancels_its_call(gateway):
    async def main():
        for waits in (gateway.arequest(CHAT, json=hello("never")), text_of(gateway, "slow")):
            task = asyncio.create_task(waits)
            await asyncio.to_thread(becomes, lambda: gateway.statistics().exchanges_open == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            del task
            assert await asyncio.to_thread(becomes, lambda: gateway.statistics().exchanges_open == 0)
        assert gateway.statistics().cancelled == 2

    run(main())


def test_a_timeout_of_asyncio_ends_a_wait(gateway):
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await gateway.arequest(CHAT, json=hello("never"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                async with gateway.stream(CHAT, json=hello("slow", stream=True)) as stream:
                    async for _ in stream:
                        pass
        assert await asyncio.to_thread(becomes, lambda: gateway.statistics().cancelled == 2)
        assert await text_of(gateway) == "Hello there, stranger."

    run(main())


def test_a_wait_that_was_cancelled_has_lost_nothing(gateway):
    async def main():
        texts = []
        async with gateway.stream(CHAT, json=hello("slow", stream=True)) as stream:
            while len(texts) < 20:
                try:
                    texts.append((await asyncio.wait_for(anext(stream), 0.003)).text)
                except TimeoutError:
                    pass
        assert SLOW.startswith("".join(texts))

    run(main())


def test_a_thousand_streams_at_once(gateway):
    async def main():
        texts = await asyncio.gather(*(text_of(gateway) for _ in range(1000)))
        assert texts == ["Hello there, stranger."] * 1000
        (reader,) = gateway._loop_readers.values()
        assert reader._inboxes == {} and reader._lists == {}

    run(main())


def test_two_tasks_do_not_read_one_stream(gateway):
    async def main():
        async with gateway.stream(CHAT, json=hello("never", stream=True)) as stream:
            first = asyncio.create_task(stream.anext())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task"):
                await stream.anext()
            first.cancel()

    run(main())


def test_a_stream_that_is_closed_elsewhere_ends_the_wait(gateway):
    async def main():
        stream = gateway.stream(CHAT, json=hello("never", stream=True))
        waiting = asyncio.create_task(stream.anext())
        await asyncio.sleep(0)
        await asyncio.to_thread(stream.close)
        with pytest.raises(sluice.CancelledError):
            await waiting

    run(main())


def test_a_gateway_that_closes_ends_the_waits_of_a_loop():
    async def main():
        async with sluice.Gateway(configuration()) as gateway:
            waiting = asyncio.create_task(gateway.arequest(CHAT, json=hello("never")))
            await asyncio.to_thread(becomes, lambda: gateway.statistics().exchanges_open == 1)
        with pytest.raises(sluice.Error):
            await waiting

    run(main())


# ABI-11
def test_a_loop_that_closes_with_live_streams_leaves_nothing(gateway):
    kept = []

    async def leave():
        stream = gateway.stream(CHAT, json=hello("slow", stream=True))
        await anext(stream)
        kept.append(stream)

    asyncio.run(leave())
    asyncio.run(leave())
    reader = weakref.ref(kept[0]._reader)
    kept.clear()
    assert becomes(lambda: gateway.statistics().exchanges_open == 0)
    run(text_of(gateway))  # a new loop: those of closed ones go
    gc.collect()
    assert reader() is None and len(gateway._loop_readers) == 1


def test_loops_in_several_threads_have_a_reader_each(gateway):
    texts = []
    threads = [threading.Thread(target=lambda: texts.append(run(text_of(gateway)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert texts == ["Hello there, stranger."] * 4


def test_a_stream_stays_with_who_began_it(gateway):
    async def main():
        stream = gateway.stream(CHAT, json=hello("slow", stream=True))
        await anext(stream)
        with pytest.raises(RuntimeError, match="async for"):
            next(stream)
        await stream.aclose()

    run(main())
    stream = gateway.stream(CHAT, json=hello("slow", stream=True))
    next(stream)

    async def take():
        with pytest.raises(RuntimeError, match="use `for`"):
            await anext(stream)

    run(take())
    stream.close()


def test_a_task_that_is_slow_to_read_pauses_its_upstream_alone(gateway):
    async def main():
        async with gateway.stream(CHAT, json=hello("long", stream=True), raw=True) as stream:
            read = len((await anext(stream)).data)
            for _ in range(20):
                assert await text_of(gateway) == "Hello there, stranger."
            held = sum(len(event.data) for event in stream._inbox.came if isinstance(event, sluice.Chunk))
            assert held <= WINDOW + 64 * 1024
            async for event in stream:
                read += len(event.data)
            assert read > 1024 * 1024 and stream.outcome.ending is sluice.Ending.COMPLETED

    run(main())


def test_a_gateway_without_threads_lives_in_the_loop():
    async def main():
        async with sluice.Gateway(configuration(), threads=0) as gateway:
            assert await asyncio.gather(*(text_of(gateway) for _ in range(20))) == ["Hello there, stranger."] * 20

    run(main())
