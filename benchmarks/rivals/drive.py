"""One embedded gateway of Python under load: `drive.py GATEWAY PORT EVENTS`. The mock listens on PORT; a stream of it has EVENTS deltas.

Reads commands on stdin, one JSON object a line, and answers each with one on stdout; the first answer is its version, before any
command. What a gateway can do is a class each; how the load runs is the same for all. Knows no figure but its own CPU time.

    {"do": "chat" (in threads) | "achat" | "astream" (in tasks of asyncio), "at_once": 64, "cpu_seconds": 2.0}
    -> {"count": answers or deltas, "calls": answers or streams, "cpu_ns": of all threads, "wall_ns": until the last answer}
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from loads import chat_body  # noqa: E402

ENDING = "byte by byte."  # of the mock's whole answer
SETTLE = 0.1  # s after the last answer: what a gateway has left for later is its cost too
WHOLE = "delay_us=0"  # what is wished of the mock (mock/mock.cpp)


def streamed(events):
    """As fast as its socket takes them."""
    return f"events={events} gap_us=0"


class Sluice:
    """The binding as its README uses it. One engine thread, ten routes told apart by the model, as in the other comparisons."""

    def __init__(self, port, events):
        import sluice

        self.version = sluice.__version__
        self._gateway = sluice.Gateway({
            "version": 1,
            "gateway": {"name": "bench", "threads": 1},
            "upstreams": [{"name": "mock", "provider": "openai-compatible", "url": f"http://127.0.0.1:{port}/v1"}],
            "routes": [{"name": f"route-{i}", "match": {"path": "/v1/chat/completions", "model": [f"bench-{i}"]}, "upstreams": [{"name": "mock"}]}
                       for i in range(10)],
        }, logger=None)
        self._whole, self._streamed = json.loads(chat_body(False, WHOLE)), json.loads(chat_body(True, streamed(events)))

    def chat(self):
        return self._gateway.request("/v1/chat/completions", json=self._whole).json()["choices"][0]["message"]["content"]

    async def achat(self):
        return (await self._gateway.arequest("/v1/chat/completions", json=self._whole)).json()["choices"][0]["message"]["content"]

    async def astream(self):
        count = 0
        async for delta in self._gateway.stream("/v1/chat/completions", json=self._streamed):
            count += bool(delta.text)
        return count


class LiteLLM:
    """The SDK's provider for endpoints that speak OpenAI's dialect. It keeps its clients, and their connections, from call to call."""

    def __init__(self, port, events):
        os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")  # nothing is fetched when it is imported
        import litellm

        self.version = version("litellm")
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        litellm.disable_streaming_logging = True
        self._complete, self._acomplete = litellm.completion, litellm.acompletion
        self._whole, self._streamed = (self._arguments(body, port) for body in (chat_body(False, WHOLE), chat_body(True, streamed(events))))

    @staticmethod
    def _arguments(body, port):
        body = json.loads(body)
        model = "openai/" + body.pop("model")
        if body.get("stream"):
            body["stream_options"] = {"include_usage": True}  # as the others ask, so that the mock sends all the same
        return {**body, "model": model, "api_base": f"http://127.0.0.1:{port}/v1", "api_key": "unused", "max_retries": 0,
                "allowed_openai_params": ["user"]}  # it leaves `user` out for models it does not know

    def chat(self):
        return self._complete(**self._whole).choices[0].message.content

    async def achat(self):
        return (await self._acomplete(**self._whole)).choices[0].message.content

    async def astream(self):
        count = 0
        async for chunk in await self._acomplete(**self._streamed):
            count += bool(chunk.choices and chunk.choices[0].delta.content)
        return count


class TensorZero:
    """The embedded gateway, without a database and so without records of inferences. What its API has no word for, the mock's wish,
    stands in its configuration."""

    CONFIG = """
[gateway]
disable_pseudonymous_usage_analytics = true
observability.enabled = false
"""
    MODEL = """
[models.{name}]
routing = ["mock"]
[models.{name}.providers.mock]
type = "openai"
api_base = "http://127.0.0.1:{port}/v1/"
model_name = "bench-7"
api_key_location = "none"
extra_body = [{{pointer = "/user", value = "{wish}"}}]
"""

    def __init__(self, port, events):
        from tensorzero import AsyncTensorZeroGateway, TensorZeroGateway

        self.version = version("tensorzero")
        self._whole = self._arguments(chat_body(False, WHOLE), "whole")
        self._streamed = {**self._arguments(chat_body(True, streamed(events)), "streamed"), "stream": True}
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(self.CONFIG + "".join(self.MODEL.format(name=name, port=port, wish=wish) for name, wish in (("whole", WHOLE), ("streamed", streamed(events)))))
            file.flush()
            self._sync = TensorZeroGateway.build_embedded(config_file=file.name)
            self._async = AsyncTensorZeroGateway.build_embedded(config_file=file.name, async_setup=False)

    @staticmethod
    def _arguments(body, model):
        body = json.loads(body)
        (system, *messages) = body["messages"]
        return {"model_name": model, "input": {"system": system["content"], "messages": messages},
                "params": {"chat_completion": {"temperature": body["temperature"], "max_tokens": body["max_tokens"]}}}

    def chat(self):
        return self._sync.inference(**self._whole).content[0].text

    async def achat(self):
        return (await self._async.inference(**self._whole)).content[0].text

    async def astream(self):
        count = 0
        async for chunk in await self._async.inference(**self._streamed):
            count += bool(chunk.content and chunk.content[0].text)
        return count


GATEWAYS = {"sluice": Sluice, "litellm": LiteLLM, "tensorzero": TensorZero}


def judged_chat(text):
    if not text.endswith(ENDING):
        raise RuntimeError(f"an answer that is not the mock's: {text!r}")
    return 1


class Load:
    """Runs one command at a time: workers that each call again as soon as they have their answer, until the program has had its CPU
    time: a busy machine makes a window longer, not poorer."""

    def __init__(self, gateway, events):
        self._gateway = gateway
        self._events = events
        self._loop = asyncio.new_event_loop()
        self._pool = None

    def run(self, do, at_once, cpu_seconds):
        call, judge = getattr(self._gateway, do), self._judged_stream if do == "astream" else judged_chat
        wall, cpu = time.monotonic_ns(), time.process_time_ns()
        until = time.process_time() + cpu_seconds
        if do == "chat":
            results, took = self._threads(call, judge, at_once, until, wall)
        else:
            results, took = self._loop.run_until_complete(self._tasks(call, judge, at_once, until, wall))
        cpu = time.process_time_ns() - cpu
        return {"count": sum(count for count, _ in results), "calls": sum(calls for _, calls in results), "cpu_ns": cpu, "wall_ns": took}

    def _judged_stream(self, count):
        if count != self._events:
            raise RuntimeError(f"a stream of {self._events} events gave {count} deltas")
        return count

    async def _tasks(self, call, judge, at_once, until, since):
        async def worker():
            count = calls = 0
            while calls == 0 or time.process_time() < until:
                count += judge(await call())
                calls += 1
            return count, calls

        results = await asyncio.gather(*(worker() for _ in range(at_once)))
        took = time.monotonic_ns() - since
        await asyncio.sleep(SETTLE)
        return results, took

    def _threads(self, call, judge, at_once, until, since):
        def worker():
            count = calls = 0
            together.wait()
            while calls == 0 or time.process_time() < until:
                count += judge(call())
                calls += 1
            return count, calls

        together = threading.Barrier(at_once)
        self._pool = self._pool or ThreadPoolExecutor(at_once)
        results = [future.result() for future in [self._pool.submit(worker) for _ in range(at_once)]]
        took = time.monotonic_ns() - since
        time.sleep(SETTLE)
        return results, took


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a rival that prints does not speak to the comparison

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    name, port, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    gateway = GATEWAYS[name](port, events)
    load = Load(gateway, events)
    answer({"version": gateway.version})
    for line in sys.stdin:
        answer(load.run(**json.loads(line)))
    os._exit(0)  # what a gateway does at its end is not measured


if __name__ == "__main__":
    main()
