"""The vectors of all bindings, through every way into a gateway that Python has: the same comes of each."""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest
import sluice
import sluice.httpx

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "vectors.json").read_text())
VECTORS = DOCUMENT["vectors"]


def stated(vector):
    body = vector["body"] if isinstance(vector["body"], str) else json.dumps(vector["body"])
    return vector["target"], body.encode(), dict(vector.get("headers", {}))


def text_of(status, body):
    """What the model said, or None for an error."""
    if status >= 400:
        return None
    if body.startswith(b"{"):
        said = json.loads(body)
        return said["choices"][0]["message"]["content"] if "choices" in said else "".join(part["text"] for part in said["content"])
    events = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


def judge(vector, status, text, outcome=None, code=None):
    expect = vector["expect"]
    assert status == expect["status"]
    assert text == expect.get("text")
    if code is not None and expect.get("code"):
        assert code == expect["code"]
    if outcome is not None:
        if "ending" in expect:
            assert (outcome.ending.name.lower(), outcome.code) == (expect["ending"], expect["code"])
        assert outcome.route == expect.get("route", outcome.route)
        assert [attempt.upstream for attempt in outcome.attempts if not attempt.skipped] == expect["upstreams"]


def by_request(gateway, vector, consumer):
    target, body, headers = stated(vector)
    answer = gateway.request(target, body=body, headers=headers, consumer=consumer, check=False)
    judge(vector, answer.status, text_of(answer.status, answer.content), answer.outcome)


def by_task(gateway, vector, consumer):
    async def ask():
        target, body, headers = stated(vector)
        return await gateway.arequest(target, body=body, headers=headers, consumer=consumer, check=False)

    answer = asyncio.run(ask())
    judge(vector, answer.status, text_of(answer.status, answer.content), answer.outcome)


def by_stream(gateway, vector, consumer):
    target, body, headers = stated(vector)
    stream = gateway.stream(target, body=body, headers=headers, consumer=consumer, check=False)
    text = "".join(event.text for event in stream if isinstance(event, sluice.Delta))
    judge(vector, stream.status, text if stream.status < 400 else None, stream.outcome)


def by_transport(gateway, vector, consumer):
    target, body, headers = stated(vector)
    with httpx.Client(transport=sluice.httpx.Transport(gateway, consumer), base_url="http://sluice") as client:
        answer = client.post(target, content=body, headers={"content-type": "application/json", **headers})
    judge(vector, answer.status_code, text_of(answer.status_code, answer.content))


def by_listener(gateway, vector, consumer):
    target, body, headers = stated(vector)
    key = {"authorization": f"Bearer {DOCUMENT['key']}"} if consumer else {}
    with gateway.serve() as server:
        asked = urllib.request.Request(f"http://{server.addresses[0]}{target}", body, {"content-type": "application/json", **key, **headers})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, content = refused.code, refused.read()
    judge(vector, status, text_of(status, content))


# ABI-13
@pytest.mark.parametrize("way", [by_request, by_task, by_stream, by_transport, by_listener], ids=lambda way: way.__name__)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector_comes_out_the_same(vector, way):
    with sluice.Gateway(DOCUMENT["config"]) as gateway:
        way(gateway, vector, None if vector.get("anonymous") else "app")
