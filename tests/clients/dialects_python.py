"""Clients of every dialect, unchanged but for their base URL, against upstreams that speak another one."""

import base64
import json
import os

import anthropic
import boto3
import botocore.config
import cohere
import ollama
import openai
from google import genai
from google.genai import types

URL, KEY = os.environ["SLUICE_URL"], os.environ["OPENAI_API_KEY"]
TEXT, CITY = "Hello there, stranger.", {"city": "Köln", "unit": "C"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def expect(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def with_anthropic(upstream):
    client = anthropic.Anthropic(max_retries=0)
    ask = {"model": f"{upstream}-chat", "max_tokens": 64, "system": "Be brief.", "messages": [{"role": "user", "content": "hello"}]}
    answer = client.messages.create(**ask)
    assert answer.content[0].text == TEXT and answer.stop_reason == "end_turn", answer
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 5), answer.usage
    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_message().usage.output_tokens == 5
    tools = [{"name": "get_weather", "input_schema": SCHEMA}]
    ask = {**ask, "model": f"{upstream}-tools", "tools": tools}
    assert client.messages.create(**ask).content[-1].input == CITY
    with client.messages.stream(**ask) as stream:
        last = stream.get_final_message()
    assert last.content[-1].input == CITY and last.stop_reason == "tool_use", last
    error = expect(anthropic.RateLimitError, lambda: client.messages.create(**{**ask, "model": f"{upstream}-limited"}))
    assert error.body["type"] == "error", error.body


def with_gemini(upstream):
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=URL))
    def ask(kind, config=None):
        return {"model": f"{upstream}-{kind}", "contents": "hello", "config": config}
    answer = client.models.generate_content(**ask("chat"))
    assert answer.text == TEXT and answer.usage_metadata.prompt_token_count == 11, answer
    pieces = list(client.models.generate_content_stream(**ask("chat")))
    assert "".join(piece.text or "" for piece in pieces) == TEXT
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    tools = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", parameters_json_schema=SCHEMA)])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))
    assert client.models.generate_content(**ask("tools", tools)).function_calls[0].args == CITY
    calls = [call for piece in client.models.generate_content_stream(**ask("tools", tools)) for call in piece.function_calls or []]
    assert [call.args for call in calls] == [CITY], calls
    error = expect(genai.errors.ClientError, lambda: client.models.generate_content(**ask("limited")))
    assert error.code == 429, error


def with_responses(upstream):
    client = openai.OpenAI(max_retries=0)
    ask = {"model": f"{upstream}-chat", "instructions": "Be brief.", "input": "hello"}
    answer = client.responses.create(**ask)
    assert answer.output_text == TEXT and answer.status == "completed" and answer.usage.input_tokens == 11, answer
    with client.responses.stream(**ask) as stream:
        said = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert said == TEXT == stream.get_final_response().output_text
    ask = {**ask, "model": f"{upstream}-tools", "tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]}
    assert json.loads(client.responses.create(**ask).output[-1].arguments) == CITY
    with client.responses.stream(**ask) as stream:
        stream.until_done()
        assert json.loads(stream.get_final_response().output[-1].arguments) == CITY
    expect(openai.RateLimitError, lambda: client.responses.create(**{**ask, "model": f"{upstream}-limited"}))


def with_chat(upstream):
    client = openai.OpenAI(max_retries=0)
    ask = {"model": f"{upstream}-chat", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}], "max_tokens": 64}
    answer = client.chat.completions.create(**ask)
    assert answer.choices[0].message.content == TEXT and answer.usage.prompt_tokens == 11, answer
    chunks = list(client.chat.completions.create(**ask, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert all(c.usage is None and c.choices for c in chunks), "usage was not asked for"
    chunks = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 5
    ask = {**ask, "model": f"{upstream}-tools", "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]}
    answer = client.chat.completions.create(**ask)
    assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments) == CITY
    given = ""
    for chunk in client.chat.completions.create(**ask, stream=True):
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            given += delta.function.arguments or ""
    assert json.loads(given) == CITY
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}}
    seen = [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, image]}]
    if upstream != "cohere":
        assert client.chat.completions.create(model=f"{upstream}-chat", messages=seen).choices[0].message.content == TEXT
    expect(openai.RateLimitError, lambda: client.chat.completions.create(**{**ask, "model": f"{upstream}-limited"}))


def with_cohere(upstream):
    client = cohere.ClientV2(api_key=KEY, base_url=URL)
    ask = {"model": f"{upstream}-chat", "messages": [{"role": "user", "content": "hello"}]}
    answer = client.chat(**ask)
    assert answer.message.content[0].text == TEXT and answer.finish_reason == "COMPLETE", answer
    events = list(client.chat_stream(**ask))
    assert "".join(e.delta.message.content.text for e in events if e.type == "content-delta") == TEXT
    assert events[-1].type == "message-end" and events[-1].delta.usage.tokens.output_tokens == 5, events[-1]
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    ask = {**ask, "model": f"{upstream}-tools", "tools": tools}
    assert json.loads(client.chat(**ask).message.tool_calls[0].function.arguments) == CITY
    expect(cohere.errors.TooManyRequestsError, lambda: client.chat(**{**ask, "model": f"{upstream}-limited"}, request_options={"max_retries": 0}))


def with_ollama(upstream):
    client = ollama.Client(host=URL, headers={"Authorization": f"Bearer {KEY}"})
    ask = {"model": f"{upstream}-chat", "messages": [{"role": "user", "content": "hello"}]}
    answer = client.chat(**ask)
    assert answer.message.content == TEXT and answer.done_reason == "stop" and answer.eval_count == 5, answer
    pieces = list(client.chat(**ask, stream=True))
    assert "".join(piece.message.content or "" for piece in pieces) == TEXT and pieces[-1].done
    assert client.generate(model=f"{upstream}-chat", prompt="hello").response == TEXT
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    assert client.chat(**{**ask, "model": f"{upstream}-tools"}, tools=tools).message.tool_calls[0].function.arguments == CITY
    error = expect(ollama.ResponseError, lambda: client.chat(**{**ask, "model": f"{upstream}-limited"}))
    assert error.status_code == 429, error


def with_bedrock(upstream):
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=URL,
                          aws_access_key_id=os.environ["SLUICE_AWS_ID"], aws_secret_access_key=os.environ["SLUICE_AWS_SECRET"],
                          config=botocore.config.Config(retries={"max_attempts": 0}))
    ask = {"modelId": f"{upstream}-chat", "messages": [{"role": "user", "content": [{"text": "hello"}]}], "system": [{"text": "Be brief."}]}
    answer = client.converse(**ask)
    assert answer["output"]["message"]["content"][0]["text"] == TEXT and answer["stopReason"] == "end_turn", answer
    events = list(client.converse_stream(**ask)["stream"])
    assert "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e) == TEXT
    assert events[-1]["metadata"]["usage"]["outputTokens"] == 5, events[-1]
    tools = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": SCHEMA}}}]}
    answer = client.converse(**{**ask, "modelId": f"{upstream}-tools"}, toolConfig=tools)
    assert answer["output"]["message"]["content"][-1]["toolUse"]["input"] == CITY, answer
    expect(client.exceptions.ThrottlingException, lambda: client.converse(**{**ask, "modelId": f"{upstream}-limited"}))


CLIENTS = {"anthropic": with_anthropic, "gemini": with_gemini, "openai-responses": with_responses, "openai": with_chat,
           "cohere": with_cohere, "ollama": with_ollama, "bedrock": with_bedrock}

if __name__ == "__main__":
    for dialect, client in CLIENTS.items():
        for upstream in CLIENTS:
            if upstream == dialect:
                continue
            try:
                client(upstream)
            except BaseException as error:
                raise AssertionError(f"a client of {dialect} with an upstream of {upstream}") from error
    print(f"{len(CLIENTS)} clients, each with {len(CLIENTS) - 1} upstreams of other dialects")
