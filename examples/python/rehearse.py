"""Testing your own configuration: the primary is down for a minute, and time is moved by hand. prints:

    at 0 s: openai (status 503), then claude
    at 61 s: openai
    a stall: cut off by idle_timeout after 10 s
    twice the same: True
"""

import sluice
import sluice.testing

CONFIG = {
    "version": 1,
    "upstreams": [
        {"name": "openai", "provider": "openai-compatible", "url": "https://api.openai.test/v1", "timeouts": {"idle_ms": 10000}},
        {"name": "claude", "provider": "openai-compatible", "dialect": "anthropic", "url": "https://api.claude.test/v1"},
    ],
    "routes": [{"name": "chat", "retry": {"attempts": 2, "backoff_ms": 0}, "upstreams": [{"name": "openai"}, {"name": "claude", "model": "claude-small"}]}],
}
HELLO = {"model": "smart", "max_tokens": 99, "messages": [{"role": "user", "content": "hello"}]}


def ways(outcome):
    *failed, last = outcome.attempts
    return "".join(f"{attempt.upstream} ({attempt.reason}), then " for attempt in failed) + last.upstream


def rehearse(say):
    sim = sluice.testing.Simulation(seed=7)
    sim.upstream("openai").fails(503, until=60)
    with sim.gateway(CONFIG) as gateway:
        say(f"at {sim.now:.0f} s: {ways(gateway.request('/v1/chat/completions', json=HELLO).outcome)}")
        sim.advance(61)
        say(f"at {sim.now:.0f} s: {ways(gateway.request('/v1/chat/completions', json=HELLO).outcome)}")

        # Behind the first content there is no failover: what came was given away already.
        sim.upstream("openai").generates(50).stalls(at_byte=2000)
        began = sim.now
        try:
            list(gateway.stream("/v1/chat/completions", json={**HELLO, "stream": True}))
        except sluice.UpstreamError as error:
            say(f"a stall: cut off by {error.code} after {sim.now - began:.0f} s")


rehearse(print)
first, second = [], []
rehearse(first.append)
rehearse(second.append)
print("twice the same:", first == second)
