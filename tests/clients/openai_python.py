"""The openai package for Python, unchanged, pointed at sluiced by its environment and nothing else."""

import asyncio
import json

import anthropic
import openai

HELLO = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
client = openai.OpenAI(max_retries=0)


def expect(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def chats():
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert answer.choices[0].message.content == "Hello there, stranger."
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 5)
    assert answer._request_id

    renamed = client.chat.completions.create(model="smart", messages=HELLO)
    assert renamed.choices[0].message.content == "Hello there, stranger."


def streams():
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello there, stranger."
    assert all(c.usage is None and c.choices for c in chunks), "usage was not asked for"

    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 5

    # STREAM-14: the pings of a silent stream are nothing to the client.
    chunks = list(client.chat.completions.create(model="thinking", messages=HELLO, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "At last."


def tools():
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=TOOLS)
    call = answer.choices[0].message.tool_calls[0]
    assert (call.id, call.function.name) == ("call_1", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Köln", "unit": "C"}

    given = ""
    for chunk in client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=TOOLS, stream=True):
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            given += delta.function.arguments or ""
    assert json.loads(given) == {"city": "Köln", "unit": "C"}


def the_rest():
    packed = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    plain = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert len(packed.data) == 2 and len(packed.data[0].embedding) == 8
    assert all(abs(a - b) < 1e-6 for a, b in zip(packed.data[0].embedding, plain.data[0].embedding))
    assert client.completions.create(model="gpt-4o-mini", prompt="once").choices[0].text == "Hello there, stranger."
    assert client.moderations.create(model="omni-moderation-latest", input="[violence]").results[0].flagged
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o-mini").id == "gpt-4o-mini"


def errors():
    error = expect(openai.NotFoundError, lambda: client.chat.completions.create(model="no-such-model", messages=HELLO))
    assert "no-such-model" in error.message
    stranger = openai.OpenAI(max_retries=0, api_key="sk-wrong")
    error = expect(openai.AuthenticationError, lambda: stranger.chat.completions.create(model="gpt-4o", messages=HELLO))
    assert "sk-wrong" not in str(error)
    expect(openai.RateLimitError, lambda: client.chat.completions.create(model="limited", messages=HELLO))


def giving_up():
    """BAL-38: these retry on their own, twice, unless they are told not to."""
    patient = openai.OpenAI(max_retries=2)
    expect(openai.InternalServerError, lambda: patient.chat.completions.create(model="down", messages=HELLO))
    other = anthropic.Anthropic(max_retries=2)
    expect(anthropic.InternalServerError, lambda: other.messages.create(model="claude", max_tokens=9, messages=HELLO))


async def together():
    """Twenty at once, from one loop."""
    async with openai.AsyncOpenAI(max_retries=0) as many:
        answers = await asyncio.gather(*(many.chat.completions.create(model="gpt-4o-mini", messages=HELLO) for _ in range(20)))
    assert {a.choices[0].message.content for a in answers} == {"Hello there, stranger."}


def leaving():
    stream = client.chat.completions.create(model="slow", messages=HELLO, stream=True)
    for count, _ in enumerate(stream):
        if count == 2:
            stream.close()
            break


if __name__ == "__main__":
    for part in (chats, streams, tools, the_rest, errors, giving_up, leaving):
        part()
    asyncio.run(together())
