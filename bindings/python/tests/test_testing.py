"""Simulations: one's own configuration in time that is moved by hand, twice the same."""

import asyncio
import time

import pytest
import sluice
import sluice.testing
from conftest import CHAT, hello, simulator

CONFIG = {
    "version": 1,
    "gateway": {"name": "rehearsal"},
    "upstreams": [
        {"name": "openai", "provider": "openai-compatible", "url": "http://openai.test/v1", "timeouts": {"idle_ms": 20000}},
        {"name": "claude", "provider": "openai-compatible", "url": "http://claude.test/v1"},
    ],
    "routes": [{"name": "chat", "match": {"path": CHAT}, "upstreams": [{"name": "openai"}, {"name": "claude"}]}],
}


def upstreams_of(outcome):
    return [attempt.upstream for attempt in outcome.attempts if not attempt.skipped]


# ABI-14
def test_failover_is_rehearsed_in_no_time(sluice_simulation):
    sim = sluice_simulation
    sim.upstream("openai").fails(503, until=90)
    sim.upstream("claude").answers("Good evening.")
    began = time.monotonic()
    with sim.gateway(CONFIG) as gateway:
        answer = gateway.request(CHAT, json=hello())
        assert answer.json()["choices"][0]["message"]["content"] == "Good evening."
        assert upstreams_of(answer.outcome)[-1] == "claude" and answer.outcome.attempts[0].status == 503
        sim.advance(100)
        assert sim.now >= 100
        assert upstreams_of(gateway.request(CHAT, json=hello()).outcome) == ["openai"]
        assert [seen.upstream for seen in sim.seen][-1] == "openai" and b"hello" in sim.seen[-1].body
        sim.forget_seen()
        assert sim.seen == []
    assert time.monotonic() - began < 10


def test_time_passes_as_the_script_says(sluice_simulation):
    sluice_simulation.upstream("openai").generates(100).pace(first_token=2, tokens_per_second=10)
    with sluice_simulation.gateway(CONFIG) as gateway:
        stream = gateway.stream(CHAT, json=hello(stream=True))
        next(stream)
        assert sluice_simulation.now == pytest.approx(2, abs=0.01)
        list(stream)
        assert sluice_simulation.now == pytest.approx(12, abs=0.2)
        assert stream.outcome.first_delta_ns == pytest.approx(2e9, rel=0.01) and stream.outcome.usage.output_tokens == 100


def test_a_stall_is_ended_by_the_time_out_of_the_configuration(sluice_simulation):
    sluice_simulation.upstream("openai").stalls(300)
    sluice_simulation.upstream("claude").refuses_connections()
    with sluice_simulation.gateway(CONFIG) as gateway:
        with pytest.raises(sluice.UpstreamError) as caught:
            list(gateway.stream(CHAT, json=hello(stream=True)))
        assert caught.value.code in ("idle_timeout", "upstream_connect_failed")
        assert sluice_simulation.now >= 20


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda script: script.fails(429, retry_after=7), "upstream_status"),
        (lambda script: script.garbage(), "upstream_protocol_error"),
        (lambda script: script.refuses_connections(), "upstream_connect_failed"),
        (lambda script: script.hangs_up(), "upstream_reset"),
    ],
    ids=["status", "garbage", "refused", "hung up"],
)
def test_faults_become_typed_errors(sluice_simulation, fault, code):
    document = {**CONFIG, "routes": [{**CONFIG["routes"][0], "upstreams": [{"name": "openai"}], "retry": {"attempts": 1}}]}
    fault(sluice_simulation.upstream("openai"))
    with sluice_simulation.gateway(document) as gateway:
        with pytest.raises(sluice.UpstreamError) as caught:
            gateway.request(CHAT, json=hello())
        assert caught.value.code == code
        if code == "upstream_status":
            assert caught.value.status == 429 and caught.value.retry_after == 7
        sluice_simulation.upstream("openai").recovers()
        assert gateway.request(CHAT, json=hello()).status == 200


def test_a_tool_is_called(sluice_simulation):
    sluice_simulation.upstream("openai").calls_tool("get_weather", '{"city": "Köln"}')
    with sluice_simulation.gateway(CONFIG) as gateway:
        tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
        events = list(gateway.stream(CHAT, json=hello(stream=True, tools=tools)))
    names = [event.text for event in events if event.channel is sluice.Channel.TOOL_NAME]
    arguments = "".join(event.text for event in events if event.channel is sluice.Channel.TOOL_ARGUMENTS)
    assert names == ["get_weather"] and "Köln" in arguments


def test_the_same_seed_gives_the_same_run():
    def run():
        sim = sluice.testing.Simulation(seed=11)
        sim.upstream("openai").generates(50).pace(jitter=3, tokens_per_second=5).fails(500, times=1)
        with sim.gateway(CONFIG) as gateway:
            outcome = gateway.request(CHAT, json=hello()).outcome
            return outcome.total_ns, outcome.id, [attempt.reason for attempt in outcome.attempts], sim.now

    assert run() == run()


def test_tasks_live_in_simulated_time_too(sluice_simulation):
    sluice_simulation.upstream("openai").generates(30).pace(tokens_per_second=1)

    async def main():
        async with sluice_simulation.gateway(CONFIG) as gateway:

            async def one():
                return len([event async for event in gateway.stream(CHAT, json=hello(stream=True))])

            return await asyncio.gather(*(one() for _ in range(10)))

    began = time.monotonic()
    assert min(asyncio.run(main())) >= 30
    assert time.monotonic() - began < 10 and sluice_simulation.now >= 29


def test_plugins_are_asked_in_simulated_time(sluice_simulation):
    class Guard(sluice.Plugin):
        name = "guard"
        edits_answer = True

        def on_request(self, exchange):
            return sluice.Fail("no", code="invalid_request") if exchange.model == "bad" else None

        def on_delta(self, exchange, delta):
            return sluice.Edit(text=delta.text.upper())

    sluice_simulation.upstream("openai").answers("well done")
    with sluice_simulation.gateway(CONFIG, plugins=[Guard()]) as gateway:
        assert "".join(event.text for event in gateway.stream(CHAT, json=hello(stream=True))) == "WELL DONE"
        with pytest.raises(sluice.RequestError):
            gateway.request(CHAT, json=hello("bad"))


def test_without_a_gateway_time_is_not_moved(sluice_simulation):
    for move in (lambda: sluice_simulation.advance(1), sluice_simulation.step):
        with pytest.raises(RuntimeError):
            move()


def test_simulated_upstreams_of_a_configuration_need_no_script(sluice_simulation):
    document = {**CONFIG, "upstreams": [simulator("openai", answer="Hi."), simulator("claude")]}
    with sluice_simulation.gateway(document) as gateway:
        assert gateway.request(CHAT, json=hello()).status == 200
