"""The process around a gateway: forks, pools of processes, the end of the interpreter, and what is left when handles are let go."""

import gc
import json
import multiprocessing
import os
import sys
import tracemalloc
import warnings

import pytest
import sluice
from conftest import CHAT, SLOW, configuration, hello, run_python

FULL = os.environ.get("SLUICE_LEAK_REQUESTS")
fork = multiprocessing.get_context("fork")


def in_child(work):
    """Runs `work` in a child of a fork; its exit status says whether it held."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forked(asked):
    try:
        asked()
    except sluice.ForkedError as error:
        return error.code == "forked"
    return False


# ABI-05
def test_in_a_child_every_call_is_refused_at_once_and_the_parent_is_unharmed(gateway):
    stream = gateway.stream(CHAT, json=hello("slow", stream=True))
    first = next(stream).text

    def child():
        asked = (
            lambda: gateway.request(CHAT, json=hello()),
            lambda: next(iter(gateway.stream(CHAT, json=hello(stream=True)))),
            gateway.statistics,
            gateway.dump,
            lambda: gateway.explain(CHAT, json=hello()),
            lambda: gateway.reload(configuration()),
            gateway.serve,
        )
        refused = all(forked(call) for call in asked)
        gateway.close()
        return refused and sluice.Gateway(configuration()).request(CHAT, json=hello()).status == 200

    assert in_child(child) == 0
    assert (first + "".join(event.text for event in stream)).strip() == SLOW.strip()
    assert gateway.request(CHAT, json=hello()).status == 200


def test_a_child_may_let_go_of_what_its_parent_opened(gateway):
    stream = gateway.stream(CHAT, json=hello("slow", stream=True))
    next(stream)
    held = [gateway, stream]

    def child():
        held.clear()
        nonlocal stream
        stream = None
        gc.collect()
        return True

    assert in_child(child) == 0
    assert gateway.request(CHAT, json=hello()).status == 200


def serve_one(number):
    """In a worker: a gateway of its own, opened after the fork."""
    with sluice.Gateway(configuration()) as gateway:
        return number, gateway.request(CHAT, json=hello()).status


def test_a_pool_of_forked_processes_opens_gateways_of_its_own(gateway):
    assert gateway.request(CHAT, json=hello()).status == 200
    with fork.Pool(3) as pool:
        assert pool.map(serve_one, range(6)) == [(number, 200) for number in range(6)]
    assert gateway.request(CHAT, json=hello()).status == 200


def test_a_gateway_is_not_handed_to_another_process(gateway):
    with fork.Pool(1) as pool, pytest.raises(TypeError, match="cannot be pickled"):
        pool.map(str, [gateway])


ENDS = """
import asyncio, sys, threading, sluice
config = sys.argv[1]
chat = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
gateway = sluice.Gateway(config)
"""


@pytest.mark.parametrize(
    "program",
    [
        "stream = gateway.stream('/v1/chat/completions', json=chat); next(stream)",
        "streams = [gateway.stream('/v1/chat/completions', json=chat) for _ in range(50)]\nfor stream in streams: next(stream)\nsys.exit(0)",
        "threading.Thread(target=lambda: list(gateway.stream('/v1/chat/completions', json=chat, check=False)), daemon=True).start()",
        "async def main():\n    global kept\n    kept = gateway.stream('/v1/chat/completions', json=chat)\n    await anext(kept)\nasyncio.run(main())",
        "cycle = [gateway, gateway.stream('/v1/chat/completions', json=chat)]; cycle.append(cycle); next(cycle[1]); del gateway",
    ],
    ids=["a stream", "many streams", "a thread that waits", "a loop that is gone", "a cycle"],
)
def test_the_interpreter_ends_with_live_streams(program, tmp_path):
    config = tmp_path / "gateway.json"
    config.write_text(json.dumps(configuration()))
    done = run_python(ENDS + program, str(config))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_gateway_that_is_let_go_of_closes_and_warns():
    with pytest.warns(ResourceWarning, match="was not closed"):
        sluice.Gateway(configuration())
        gc.collect()


def test_handles_that_are_let_go_of_are_freed(gateway):
    before = len(gc.get_objects())
    for _ in range(200):
        next(gateway.stream(CHAT, json=hello("slow", stream=True)))
    gc.collect()
    assert len(gc.get_objects()) - before < 200
    assert gateway._thread_reader._lists == {}


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_requests_leak_nothing(sluice_simulation):
    """SLUICE_LEAK_REQUESTS=100000 runs the long one."""
    requests = int(FULL or 10000)
    document = configuration()
    document["routes"] = [route for route in document["routes"] if route["name"] == "quick"]
    with sluice_simulation.gateway(document) as gateway:

        def some(count):
            for index in range(count):
                if index % 2:
                    assert gateway.request(CHAT, json=hello()).outcome.status == 200
                else:
                    assert len(list(gateway.stream(CHAT, json=hello(stream=True)))) > 1
                if index % 1000 == 0:
                    sluice_simulation.forget_seen()

        some(2000)
        gc.collect()
        tracemalloc.start()
        some(100)
        gc.collect()
        traced, rss = tracemalloc.get_traced_memory()[0], resident()
        tracemalloc.stop()
        some(requests)
        tracemalloc.start()
        some(100)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - traced
        tracemalloc.stop()
        assert grown < 64 * 1024, f"{grown} bytes of Python's"
        # 100 bytes a request would be a leak; what an allocator keeps is not.
        assert resident() - rss < 4 * 2**20 + requests * 20, f"{(resident() - rss) / requests} bytes a request"
        print(f"{requests} requests: {grown} bytes traced, {resident() - rss} bytes resident", file=sys.stderr)
