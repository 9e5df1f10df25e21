"""Streams in threads: events in order, leaving early, waiting without the interpreter's lock, and what is held back."""

import signal
import threading
import time

import pytest
import sluice
from conftest import CHAT, PATIENCE, SLOW, becomes, hello
from sluice.calls import WINDOW


def list_of(stream):
    """The events of a stream, or the code of what ended it."""
    try:
        return list(stream)
    except sluice.Error as error:
        return error.code


def test_a_stream_is_deltas_and_ends_with_its_outcome(gateway):
    with gateway.stream(CHAT, json=hello(stream=True)) as stream:
        assert stream.status is None and stream.outcome is None
        events = list(stream)
        assert all(type(event) is sluice.Delta and event.channel is sluice.Channel.TEXT for event in events)
        assert "".join(event.text for event in events) == "Hello there, stranger." and len(events) > 1
        assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")
        assert stream.outcome.streamed and stream.outcome.deltas >= len(events)
    assert list(stream) == []


def test_raw_it_is_the_bytes_of_the_wire(gateway):
    raw = b"".join(event.data for event in gateway.stream(CHAT, json=hello(stream=True), raw=True))
    assert raw.startswith(b"data: {") and raw.rstrip().endswith(b"data: [DONE]")


def test_an_answer_that_is_not_streamed_comes_as_deltas_too(gateway):
    assert "".join(event.text for event in gateway.stream(CHAT, json=hello())) == "Hello there, stranger."


def test_a_refused_stream_gives_its_body_and_raises(gateway):
    stream = gateway.stream(CHAT, json=hello("no-such-model", stream=True))
    body = b""
    with pytest.raises(sluice.RequestError) as caught:
        for event in stream:
            body += event.data
    assert caught.value.code == "route_not_found" and b"route_not_found" in body
    assert caught.value.response.content == body
    assert list(stream) == []


def test_the_head_can_be_waited_for(gateway):
    with gateway.stream(CHAT, json=hello(stream=True)) as stream:
        assert stream.head().status == 200
        assert "".join(event.text for event in stream) == "Hello there, stranger."
    with gateway.stream(CHAT, json=hello("never", stream=True)) as stream:
        stream.head(timeout=0.01)
        assert stream.next(timeout=0.01) is None


@pytest.mark.parametrize("leave", [lambda stream: stream.close(), lambda stream: stream.__exit__(None, None, None), lambda stream: None])
def test_leaving_early_cancels_the_call(gateway, leave):
    stream = gateway.stream(CHAT, json=hello("slow", stream=True))
    assert next(stream).text
    leave(stream)
    del stream
    assert becomes(lambda: gateway.statistics().cancelled == 1)
    assert gateway.statistics().exchanges_open == 0
    assert gateway._thread_reader._inboxes == {} and gateway._thread_reader._lists == {}


def test_what_is_closed_elsewhere_ends_the_wait(gateway):
    stream = gateway.stream(CHAT, json=hello("never", stream=True))
    threading.Timer(0.05, stream.close).start()
    with pytest.raises(sluice.CancelledError):
        list(stream)


def test_closing_the_gateway_ends_the_wait(gateway):
    threading.Timer(0.05, gateway.close).start()
    with pytest.raises(sluice.Error) as caught:
        gateway.request(CHAT, json=hello("never"))
    assert caught.value.code in ("cancelled", "closed", "shutting_down")


def test_many_threads_share_one_gateway(gateway):
    texts = []

    def talk():
        for _ in range(20):
            texts.append("".join(event.text for event in gateway.stream(CHAT, json=hello(stream=True))))

    threads = [threading.Thread(target=talk) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert texts == ["Hello there, stranger."] * 320


def test_a_thread_that_waits_long_does_not_keep_others_waiting(gateway):
    # The first polls for all; when it goes, another takes its place.
    leader, ended = gateway.stream(CHAT, json=hello("never", stream=True)), []
    waiting = threading.Thread(target=lambda: ended.append(list_of(leader)))
    waiting.start()
    for _ in range(50):
        assert gateway.request(CHAT, json=hello()).status == 200
    followers = [threading.Thread(target=lambda: gateway.request(CHAT, json=hello("slow"))) for _ in range(3)]
    for thread in followers:
        thread.start()
    assert becomes(lambda: leader._inbox is not None)
    leader.close()
    for thread in [waiting, *followers]:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert ended == ["cancelled"]


# ABI-11
def test_the_interpreter_is_free_while_a_thread_waits(gateway):
    stream, gap = gateway.stream(CHAT, json=hello("never", stream=True)), 0.0
    waiting = threading.Thread(target=lambda: stream.next(timeout=1.0))
    waiting.start()
    last = time.monotonic()
    while waiting.is_alive():
        now = time.monotonic()
        gap, last = max(gap, now - last), now
    assert gap < 0.5  # a wait that kept the lock would be one gap of a second


def test_an_interrupt_ends_a_wait_and_loses_nothing_of_others(gateway):
    texts = []
    other = threading.Thread(target=lambda: texts.append("".join(e.text for e in gateway.stream(CHAT, json=hello("slow", stream=True)))))
    stream = gateway.stream(CHAT, json=hello("never", stream=True))
    stream.head(timeout=0.01)
    other.start()
    threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stream.next()
    assert time.monotonic() - began < PATIENCE / 2
    assert gateway.request(CHAT, json=hello()).status == 200
    other.join(PATIENCE)
    assert [text.strip() for text in texts] == [SLOW.strip()]


def test_an_interrupt_reaches_who_follows_another_thread(gateway):
    leader = gateway.stream(CHAT, json=hello("never", stream=True))
    waiting = threading.Thread(target=lambda: list_of(leader))
    waiting.start()
    assert becomes(lambda: gateway._thread_reader is not None and gateway._thread_reader._leader is not None)
    threading.Timer(0.1, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        gateway.request(CHAT, json=hello("never"))
    assert becomes(lambda: gateway.statistics().cancelled == 1)
    leader.close()
    waiting.join(PATIENCE)


# ABI-03
def test_what_nobody_reads_is_not_fetched(gateway):
    stream = gateway.stream(CHAT, json=hello("long", stream=True), raw=True)
    read = len(next(stream).data)  # gives credit for as much
    for _ in range(20):
        assert gateway.request(CHAT, json=hello()).status == 200  # others go on
    held = sum(len(event.data) for event in stream._inbox.came if isinstance(event, sluice.Chunk))
    assert held <= WINDOW + 64 * 1024
    whole = read + sum(len(event.data) for event in stream)
    assert whole > 4 * WINDOW and stream.outcome.ending is sluice.Ending.COMPLETED


def test_text_beyond_ascii_is_counted_in_bytes(gateway):
    # Counted in characters, the credit would run out in the middle, and nothing more would come.
    stream = gateway.stream(CHAT, json=hello("umlauts", stream=True))
    said = []
    while True:
        try:
            event = stream.next(timeout=PATIENCE)
        except StopIteration:
            break
        assert event is not None, f"nothing more came behind {len(said)} deltas"
        said.append(event.text)
    assert len("".join(said).encode()) > 2 * WINDOW
