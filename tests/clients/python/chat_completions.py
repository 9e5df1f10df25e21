"""Clients that speak OpenAI's chat completions with names of their own: groq, together and mistralai."""

import sys

from lead import CHAT_USAGE, FUNCTION, KEY, SYSTEM, TEXT, TOOLS_USAGE, URL, expect, is_the_call, over_upstreams

TOOLS = [{"type": "function", "function": FUNCTION}]
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "hello"}]


def counted(answer):
    return answer.usage.prompt_tokens, answer.usage.completion_tokens


def gathered(chunks):
    """What the pieces of a stream come to: text, call and finish reason."""
    text, call, finish = "", {"call_id": "", "name": "", "given": ""}, None
    for chunk in chunks:
        for choice in chunk.choices[:1]:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for piece in choice.delta.tool_calls or []:
                call["call_id"] += piece.id or ""
                call["name"] += piece.function.name or ""
                call["given"] += piece.function.arguments or ""
    return text, call, finish


def speaks(upstream, said, create, stream, limited, pieces=True):
    """`pieces`: the client can read calls that come in pieces."""
    ask = {"model": f"{upstream}-chat", "messages": MESSAGES, "max_tokens": 64}
    answer = create(**ask)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason, counted(answer)) == (TEXT, "stop", CHAT_USAGE), answer
    text, _, finish = gathered(stream(**ask))
    assert (text, finish) == (TEXT, "stop"), (text, finish)

    asked = {**ask, "model": f"{upstream}-tools", "tools": TOOLS}
    answer = create(**asked)
    message = answer.choices[0].message
    call = message.tool_calls[0]
    is_the_call(upstream, call.function.name, call.function.arguments, call.id)
    assert (answer.choices[0].finish_reason, counted(answer)) == ("tool_calls", TOOLS_USAGE), answer
    if pieces:
        _, streamed, finish = gathered(stream(**asked))
        is_the_call(upstream, **streamed)
        assert finish == "tool_calls"

    called = {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}
    results = [*MESSAGES, {"role": "assistant", "content": "", "tool_calls": [called]}, {"role": "tool", "tool_call_id": call.id, "content": said()}]
    assert create(**{**ask, "messages": results, "tools": TOOLS}).choices[0].message.content == TEXT
    assert limited(lambda: create(**{**ask, "model": f"{upstream}-limited"})) == 429


def with_groq():
    import groq

    chat = groq.Groq(api_key=KEY, base_url=URL, max_retries=0).chat.completions
    over_upstreams("py-groq", lambda upstream, said: speaks(
        upstream, said, chat.create, lambda **ask: chat.create(**ask, stream=True), lambda call: expect(groq.RateLimitError, call).status_code))


def with_together():
    import together

    chat = together.Together(api_key=KEY, base_url=f"{URL}/v1", max_retries=0).chat.completions
    over_upstreams("py-together", lambda upstream, said: speaks(
        upstream, said, chat.create, lambda **ask: chat.create(**ask, stream=True), lambda call: expect(together.RateLimitError, call).status_code))


def with_mistral():
    from mistralai.client import Mistral
    from mistralai.client.errors import MistralError

    chat = Mistral(api_key=KEY, server_url=URL).chat
    # It wants the function's name in every piece of a call, which OpenAI's dialect says once.
    over_upstreams("py-mistral", lambda upstream, said: speaks(
        upstream, said, chat.complete, lambda **ask: (event.data for event in chat.stream(**ask)),
        lambda call: expect(MistralError, call).status_code, pieces=False))


if __name__ == "__main__":
    {"groq": with_groq, "together": with_together, "mistral": with_mistral}[sys.argv[1]]()
