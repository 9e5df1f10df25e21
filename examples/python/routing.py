"""Routing by what a request says, and failover from an upstream that is down. prints:

    small-1 -> swift
    large-1 -> down (status 503), then premium
    large-1 for gold -> premium
    nothing: route_not_found
"""

import sluice

CONFIG = {
    "version": 1,
    "upstreams": [
        {"name": "swift", "provider": "simulator"},
        {"name": "premium", "provider": "simulator"},
        {"name": "down", "provider": "simulator", "simulator": {"status": 503}},
    ],
    "routes": [
        {"name": "gold", "match": {"headers": {"x-tier": "gold"}}, "upstreams": [{"name": "premium"}]},
        {"name": "small", "match": {"model": ["small-*"]}, "upstreams": [{"name": "swift"}]},
        {"name": "large", "match": {"model": ["large-*"]}, "retry": {"attempts": 2, "backoff_ms": 0},
         "upstreams": [{"name": "down"}, {"name": "premium"}]},
    ],
}


def chat(model):
    return {"model": model, "messages": [{"role": "user", "content": "hello"}]}


def ways(outcome):
    *failed, last = outcome.attempts
    return "".join(f"{attempt.upstream} ({attempt.reason}), then " for attempt in failed) + last.upstream


with sluice.Gateway(CONFIG) as gateway:
    print("small-1 ->", ways(gateway.request("/v1/chat/completions", json=chat("small-1")).outcome))
    print("large-1 ->", ways(gateway.request("/v1/chat/completions", json=chat("large-1")).outcome))
    gold = gateway.request("/v1/chat/completions", json=chat("large-1"), headers={"x-tier": "gold"})
    print("large-1 for gold ->", ways(gold.outcome))

    # Before anything is sent: which route would take it, and why.
    explanation = gateway.explain("/v1/chat/completions", json=chat("other"))
    refused = gateway.request("/v1/chat/completions", json=chat("other"), check=False)
    assert explanation.status == refused.status == 404
    print(f"nothing: {refused.error.code}")
