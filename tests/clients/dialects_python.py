"""Clients of every dialect, unchanged but for their base URL, against upstreams that speak another one."""

import base64
import os
import sys
from pathlib import Path

import anthropic
import boto3
import botocore.config
import cohere
import ollama
import openai
from google import genai
from google.genai import types

sys.path.insert(0, str(Path(__file__).parent / "python"))
from lead import KEY, SCHEMA, TEXT, TOOLS_USAGE, URL, expect, is_the_call, over_upstreams

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def with_anthropic(upstream, said):
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
    called = client.messages.create(**ask)
    call = called.content[-1]
    is_the_call(upstream, call.name, call.input, call.id)
    assert called.stop_reason == "tool_use" and (called.usage.input_tokens, called.usage.output_tokens) == TOOLS_USAGE, called
    with client.messages.stream(**ask) as stream:
        last = stream.get_final_message()
    is_the_call(upstream, last.content[-1].name, last.content[-1].input, last.content[-1].id)
    assert last.stop_reason == "tool_use", last
    results = [*ask["messages"], {"role": "assistant", "content": called.content},
               {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": said()}]}]
    assert client.messages.create(**{**ask, "model": f"{upstream}-chat", "messages": results}).content[0].text == TEXT
    error = expect(anthropic.RateLimitError, lambda: client.messages.create(**{**ask, "model": f"{upstream}-limited"}))
    assert error.body["type"] == "error", error.body


def with_gemini(upstream, said):
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
    called = client.models.generate_content(**ask("tools", tools))
    call = called.function_calls[0]
    is_the_call(upstream, call.name, call.args, call.id)
    assert (called.usage_metadata.prompt_token_count, called.usage_metadata.candidates_token_count) == TOOLS_USAGE, called
    calls = [call for piece in client.models.generate_content_stream(**ask("tools", tools)) for call in piece.function_calls or []]
    assert len(calls) == 1, calls
    is_the_call(upstream, calls[0].name, calls[0].args, calls[0].id)
    result = types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": said()}))
    turns = [types.UserContent("hello"), called.candidates[0].content, types.UserContent([result])]
    assert client.models.generate_content(model=f"{upstream}-chat", contents=turns, config=tools).text == TEXT
    error = expect(genai.errors.ClientError, lambda: client.models.generate_content(**ask("limited")))
    assert error.code == 429, error


def with_responses(upstream, said):
    client = openai.OpenAI(max_retries=0)
    ask = {"model": f"{upstream}-chat", "instructions": "Be brief.", "input": "hello"}
    answer = client.responses.create(**ask)
    assert answer.output_text == TEXT and answer.status == "completed" and answer.usage.input_tokens == 11, answer
    with client.responses.stream(**ask) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert text == TEXT == stream.get_final_response().output_text
    ask = {**ask, "model": f"{upstream}-tools", "tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]}
    called = client.responses.create(**ask)
    call = called.output[-1]
    is_the_call(upstream, call.name, call.arguments, call.call_id)
    assert (called.usage.input_tokens, called.usage.output_tokens) == TOOLS_USAGE, called.usage
    with client.responses.stream(**ask) as stream:
        stream.until_done()
        last = stream.get_final_response().output[-1]
    is_the_call(upstream, last.name, last.arguments, last.call_id)
    items = [{"role": "user", "content": "hello"}, call.model_dump(exclude_none=True), {"type": "function_call_output", "call_id": call.call_id, "output": said()}]
    assert client.responses.create(**{**ask, "model": f"{upstream}-chat", "input": items}).output_text == TEXT
    expect(openai.RateLimitError, lambda: client.responses.create(**{**ask, "model": f"{upstream}-limited"}))


def with_chat(upstream, said):
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
    call = answer.choices[0].message.tool_calls[0]
    is_the_call(upstream, call.function.name, call.function.arguments, call.id)
    assert answer.choices[0].finish_reason == "tool_calls" and (answer.usage.prompt_tokens, answer.usage.completion_tokens) == TOOLS_USAGE, answer
    name, given = "", ""
    for chunk in client.chat.completions.create(**ask, stream=True):
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            name += delta.function.name or ""
            given += delta.function.arguments or ""
    is_the_call(upstream, name, given)
    results = [*ask["messages"], answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": said()}]
    assert client.chat.completions.create(**{**ask, "model": f"{upstream}-chat", "messages": results}).choices[0].message.content == TEXT
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}}
    seen = [{"role": "user", "content": [{"type": "text", "text": "what is it?"}, image]}]
    if upstream != "cohere":
        assert client.chat.completions.create(model=f"{upstream}-chat", messages=seen).choices[0].message.content == TEXT
    expect(openai.RateLimitError, lambda: client.chat.completions.create(**{**ask, "model": f"{upstream}-limited"}))


def with_cohere(upstream, said):
    client = cohere.ClientV2(api_key=KEY, base_url=URL)
    ask = {"model": f"{upstream}-chat", "messages": [{"role": "user", "content": "hello"}]}
    answer = client.chat(**ask)
    assert answer.message.content[0].text == TEXT and answer.finish_reason == "COMPLETE", answer
    events = list(client.chat_stream(**ask))
    assert "".join(e.delta.message.content.text for e in events if e.type == "content-delta") == TEXT
    assert events[-1].type == "message-end" and events[-1].delta.usage.tokens.output_tokens == 5, events[-1]
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    ask = {**ask, "model": f"{upstream}-tools", "tools": tools}
    called = client.chat(**ask)
    call = called.message.tool_calls[0]
    is_the_call(upstream, call.function.name, call.function.arguments, call.id)
    assert called.finish_reason == "TOOL_CALL" and (called.usage.tokens.input_tokens, called.usage.tokens.output_tokens) == TOOLS_USAGE, called
    results = [*ask["messages"], called.message, {"role": "tool", "tool_call_id": call.id, "content": said()}]
    assert client.chat(**{**ask, "model": f"{upstream}-chat", "messages": results}).message.content[0].text == TEXT
    expect(cohere.errors.TooManyRequestsError, lambda: client.chat(**{**ask, "model": f"{upstream}-limited"}, request_options={"max_retries": 0}))


def with_ollama(upstream, said):
    client = ollama.Client(host=URL, headers={"Authorization": f"Bearer {KEY}"})
    ask = {"model": f"{upstream}-chat", "messages": [{"role": "user", "content": "hello"}]}
    answer = client.chat(**ask)
    assert answer.message.content == TEXT and answer.done_reason == "stop" and answer.eval_count == 5, answer
    pieces = list(client.chat(**ask, stream=True))
    assert "".join(piece.message.content or "" for piece in pieces) == TEXT and pieces[-1].done
    assert client.generate(model=f"{upstream}-chat", prompt="hello").response == TEXT
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    called = client.chat(**{**ask, "model": f"{upstream}-tools"}, tools=tools)
    call = called.message.tool_calls[0].function
    is_the_call(upstream, call.name, dict(call.arguments))
    assert (called.prompt_eval_count, called.eval_count) == TOOLS_USAGE, called
    results = [*ask["messages"], called.message, {"role": "tool", "tool_name": call.name, "content": said()}]
    assert client.chat(**{**ask, "messages": results}, tools=tools).message.content == TEXT
    error = expect(ollama.ResponseError, lambda: client.chat(**{**ask, "model": f"{upstream}-limited"}))
    assert error.status_code == 429, error


def with_bedrock(upstream, said):
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
    call = answer["output"]["message"]["content"][-1]["toolUse"]
    is_the_call(upstream, call["name"], call["input"], call["toolUseId"])
    assert (answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]) == TOOLS_USAGE, answer
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": said()}]}}]}
    answer = client.converse(**{**ask, "messages": [*ask["messages"], answer["output"]["message"], result]}, toolConfig=tools)
    assert answer["output"]["message"]["content"][0]["text"] == TEXT, answer
    expect(client.exceptions.ThrottlingException, lambda: client.converse(**{**ask, "modelId": f"{upstream}-limited"}))


CLIENTS = {"anthropic": with_anthropic, "gemini": with_gemini, "openai-responses": with_responses, "openai": with_chat,
           "cohere": with_cohere, "ollama": with_ollama, "bedrock": with_bedrock}

if __name__ == "__main__":
    for dialect, client in CLIENTS.items():
        over_upstreams(f"py-{dialect}", client)
