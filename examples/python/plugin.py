"""A plugin: keeps names out of answers as they stream, and turns away who names no team. prints:

    I met [name] and [name] today.
    consumer_not_allowed: say which team you are of
    names: delta edit
"""

import sluice


class Names(sluice.Plugin):
    name = "names"
    phase = sluice.Phase.TRANSFORM
    edits_answer = True

    def on_delta(self, exchange, delta):
        if delta.text.strip() in ("Alice", "Bob"):
            return sluice.Edit(text=delta.text.replace(delta.text.strip(), "[name]"))
        return None


class Teams(sluice.Plugin):
    name = "teams"

    def on_request(self, exchange):
        if not any(field == "x-team" for field, _ in exchange.headers):
            return sluice.Fail("say which team you are of", code="consumer_not_allowed", status=403)
        return None


CONFIG = {
    "version": 1,
    "upstreams": [{"name": "diary", "provider": "simulator", "simulator": {"answer": "I met Alice and Bob today."}}],
    "routes": [{"name": "chat", "upstreams": [{"name": "diary"}]}],
}
TODAY = {"model": "smart", "messages": [{"role": "user", "content": "whom?"}], "stream": True}

with sluice.Gateway(CONFIG, plugins=[Teams(), Names()]) as gateway:
    stream = gateway.stream("/v1/chat/completions", json=TODAY, headers={"x-team": "a"})
    print("".join(event.text for event in stream))

    try:
        gateway.request("/v1/chat/completions", json=TODAY)
    except sluice.Error as error:
        print(error)
    edits = [f"{verdict.hook} {verdict.verdict}" for verdict in stream.outcome.verdicts if verdict.verdict == "edit"]
    print("names:", ", ".join(edits))
