"""What the upstreams say, and how a client is led over all of them. Knows no client and no dialect."""

import json
import os

URL, KEY = os.environ["SLUICE_URL"], os.environ["OPENAI_API_KEY"]
TEXT, SYSTEM, CITY = "Hello there, stranger.", "Be brief.", {"city": "Köln", "unit": "C"}
CHAT_USAGE, TOOLS_USAGE = (11, 5), (20, 9)  # tokens in and out
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather of a city.", "parameters": SCHEMA}
UPSTREAMS = ("openai", "openai-responses", "anthropic", "gemini", "cohere", "ollama", "bedrock")
WITHOUT_IDS = ("gemini", "ollama")  # a call has no id there, so the gateway gives it one


def over_upstreams(client, use, upstreams=UPSTREAMS):
    """`use(upstream, said)` for each dialect. `said()`: a tool's result; the upstreams are asked whether each came to them."""
    for upstream in upstreams:
        results = 0

        def said():
            nonlocal results
            results += 1
            mark = f"result-{results}-for-{client}-by-{upstream}"
            with open(os.environ["SLUICE_MARKS"], "a", encoding="utf-8") as marks:
                marks.write(mark + "\n")
            return mark

        try:
            use(upstream, said)
        except BaseException as error:
            raise AssertionError(f"{client}, with an upstream of {upstream}") from error
    print(f"{client}: {len(upstreams)} upstreams")


def is_the_call(upstream, name, given, call_id=None):
    """A tool's call, as every client gives it in the end."""
    given = json.loads(given) if isinstance(given, str) else given
    assert (name, given) == ("get_weather", CITY), (name, given)
    if call_id is None:
        return
    assert (len(call_id) > 4) if upstream in WITHOUT_IDS else (call_id == "call_1"), call_id


def expect(kind, call):
    try:
        call()
    except kind as error:
        assert KEY not in str(error), "an error does not repeat the key"
        return error
    raise AssertionError(f"{kind.__name__} was expected")
