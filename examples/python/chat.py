"""One chat: a gateway in this program, one question, the whole answer, and the account of it. prints:

    Hello from the simulator.
    5 tokens written, by demo, for app
    route_not_found (caller, 404)
"""

import hashlib

import sluice

CONFIG = {
    "version": 1,
    "consumers": [{"name": "app", "keys": [{"sha256": hashlib.sha256(b"sk-of-the-app").hexdigest()}]}],
    "upstreams": [{"name": "demo", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"model": ["smart"]}, "upstreams": [{"name": "demo"}]}],
}
QUESTION = {"model": "smart", "messages": [{"role": "user", "content": "hello"}]}

with sluice.Gateway(CONFIG) as gateway:
    answer = gateway.request("/v1/chat/completions", json=QUESTION, consumer="app")
    print(answer.json()["choices"][0]["message"]["content"])
    outcome = answer.outcome
    print(f"{outcome.usage.output_tokens} tokens written, by {outcome.attempts[-1].upstream}, for {outcome.consumer}")

    # What goes wrong is an exception that says what, who, and what next.
    try:
        gateway.request("/v1/chat/completions", json={**QUESTION, "model": "other"}, consumer="app")
    except sluice.Error as error:
        print(f"{error.code} ({error.origin.name.lower()}, {error.status})")
