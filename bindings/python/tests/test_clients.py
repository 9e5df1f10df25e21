"""The providers' own clients, unchanged, through the embedded gateway: no socket is opened.

openai takes clients on httpx and on httpx2, anthropic those on httpx2; both libraries have their transport.
"""

import asyncio
import json
import socket

import anthropic
import httpx
import httpx2
import openai
import pytest
import sluice.httpx
import sluice.httpx2
from conftest import CHAT, KEY, PATIENCE, becomes, configuration, hello, simulator, with_consumers

HELLO = hello()["messages"]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
LIBRARIES = {"httpx": (httpx, sluice.httpx), "httpx2": (httpx2, sluice.httpx2)}


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was connected")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(params=list(LIBRARIES))
def library(request):
    return LIBRARIES[request.param]


def openai_on(gateway, library, **options):
    client, transports = library
    transport = transports.Transport(gateway, options.pop("consumer", None))
    return openai.OpenAI(
        base_url="http://sluice/v1", api_key=options.pop("api_key", "unused"), max_retries=0, http_client=client.Client(transport=transport), **options
    )


def async_openai_on(gateway, library, **options):
    client, transports = library
    return openai.AsyncOpenAI(
        base_url="http://sluice/v1", api_key="unused", max_retries=0, http_client=client.AsyncClient(transport=transports.AsyncTransport(gateway)), **options
    )


def anthropic_on(gateway):
    http = httpx2.Client(transport=sluice.httpx2.Transport(gateway))
    return anthropic.Anthropic(base_url="http://sluice", api_key="unused", max_retries=0, http_client=http)


def said(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 4 * PATIENCE))


# --- openai ----------------------------------------------------------------------------------------------------------------


def test_openai_chats_and_streams(gateway, library):
    client = openai_on(gateway, library)
    answer = client.chat.completions.create(model="smart", messages=HELLO)
    assert answer.choices[0].message.content == "Hello there, stranger." and answer.usage.completion_tokens > 0 and answer._request_id
    chunks = list(client.chat.completions.create(model="smart", messages=HELLO, stream=True, stream_options={"include_usage": True}))
    assert said(chunks) == "Hello there, stranger." and len(chunks) > 2 and chunks[-1].usage.completion_tokens > 0


def test_openai_streams_in_tasks(gateway, library):
    async def main():
        async with async_openai_on(gateway, library) as client:
            answer = await client.chat.completions.create(model="smart", messages=HELLO)
            assert answer.choices[0].message.content == "Hello there, stranger."
            stream = await client.chat.completions.create(model="smart", messages=HELLO, stream=True)
            assert said([chunk async for chunk in stream]) == "Hello there, stranger."

    run(main())


def test_openai_calls_tools(sluice_simulation, library):
    sluice_simulation.upstream("quick").calls_tool("get_weather", '{"city": "Köln"}')
    document = {**configuration(), "upstreams": [{"name": "quick", "provider": "openai-compatible", "url": "http://quick.test/v1"}]}
    document["routes"] = [{"name": "all", "upstreams": [{"name": "quick"}]}]
    with sluice_simulation.gateway(document) as gateway:
        client = openai_on(gateway, library)
        call = client.chat.completions.create(model="smart", messages=HELLO, tools=TOOLS).choices[0].message.tool_calls[0]
        assert call.function.name == "get_weather" and json.loads(call.function.arguments) == {"city": "Köln"}
        given = ""
        for chunk in client.chat.completions.create(model="smart", messages=HELLO, tools=TOOLS, stream=True):
            for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
                given += delta.function.arguments or ""
        assert json.loads(given) == {"city": "Köln"}


def test_openai_embeds(gateway, library):
    client = openai_on(gateway, library)
    packed = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    plain = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert len(packed.data) == 2 and packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


def test_openai_gets_errors_of_its_own_kind(gateway, library):
    client = openai_on(gateway, library)
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=HELLO)
    assert caught.value.code == "route_not_found" and "no-such-model" in caught.value.message
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="down", messages=HELLO)


def test_an_error_in_a_stream_reaches_openai(sluice_simulation, library):
    sluice_simulation.upstream("quick").fails_in_stream(2)
    document = {**configuration(), "upstreams": [{"name": "quick", "provider": "openai-compatible", "url": "http://quick.test/v1"}]}
    document["routes"] = [{"name": "all", "upstreams": [{"name": "quick"}], "retry": {"attempts": 1}}]
    with sluice_simulation.gateway(document) as gateway, pytest.raises(openai.APIError):
        list(openai_on(gateway, library).chat.completions.create(model="smart", messages=HELLO, stream=True))


def test_a_whole_answer_that_breaks_off_does_not_look_whole(sluice_simulation, library):
    body = json.dumps({"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "a" * 200000}}]})
    sluice_simulation.upstream("quick").body(body.encode()).cuts(150000)
    document = {**configuration(), "upstreams": [{"name": "quick", "provider": "openai-compatible", "url": "http://quick.test/v1"}]}
    document["routes"] = [{"name": "all", "upstreams": [{"name": "quick"}], "retry": {"attempts": 1}}]
    with sluice_simulation.gateway(document) as gateway, pytest.raises((openai.APIConnectionError, openai.InternalServerError)):
        openai_on(gateway, library).chat.completions.create(model="smart", messages=HELLO)


def test_openai_times_out_and_the_call_ends(gateway, library):
    client = openai_on(gateway, library, timeout=0.05)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="never", messages=HELLO)
    with pytest.raises((openai.APITimeoutError, library[0].ReadTimeout)):
        list(client.chat.completions.create(model="never", messages=HELLO, stream=True))
    assert becomes(lambda: gateway.statistics().cancelled == 2)

    async def main():
        async with async_openai_on(gateway, library, timeout=0.05) as patient:
            with pytest.raises(openai.APITimeoutError):
                await patient.chat.completions.create(model="never", messages=HELLO)

    run(main())
    assert becomes(lambda: gateway.statistics().cancelled == 3)


def test_leaving_a_stream_of_openai_ends_the_call(gateway, library):
    stream = openai_on(gateway, library).chat.completions.create(model="slow", messages=HELLO, stream=True)
    for count, _ in enumerate(stream):
        if count == 2:
            stream.close()
            break
    assert becomes(lambda: gateway.statistics().cancelled == 1)


def test_cancelling_a_task_of_openai_ends_the_call(gateway, library):
    async def main():
        async with async_openai_on(gateway, library) as client:

            async def read():
                async for _ in await client.chat.completions.create(model="slow", messages=HELLO, stream=True):
                    pass

            for waits in (read(), client.chat.completions.create(model="never", messages=HELLO)):
                task = asyncio.create_task(waits)
                await asyncio.to_thread(becomes, lambda: gateway.statistics().exchanges_open == 1)
                await asyncio.sleep(0.02)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert await asyncio.to_thread(becomes, lambda: gateway.statistics().exchanges_open == 0)

    run(main())
    assert gateway.statistics().cancelled == 2


def test_a_thousand_streams_of_openai_at_once(opens, library):
    document = configuration()
    document["upstreams"][0] = simulator("quick", answer="Hello there, stranger.", first_token_ms=200)
    gateway = opens(document)

    async def main():
        async with async_openai_on(gateway, library) as client:

            async def one():
                stream = await client.chat.completions.create(model="smart", messages=HELLO, stream=True)
                return said([chunk async for chunk in stream])

            return await asyncio.gather(*(one() for _ in range(1000)))

    assert run(main()) == ["Hello there, stranger."] * 1000


# ABI-16
def test_the_placeholder_key_is_ignored_where_the_transport_names_the_consumer(opens, library):
    gateway = opens(with_consumers(configuration()))
    with pytest.raises(openai.AuthenticationError):
        openai_on(gateway, library).chat.completions.create(model="smart", messages=HELLO)
    named = openai_on(gateway, library, consumer="app").chat.completions.with_raw_response.create(model="smart", messages=HELLO)
    assert named.status_code == 200
    assert openai_on(gateway, library, api_key=KEY).chat.completions.create(model="smart", messages=HELLO).choices


# --- anthropic -------------------------------------------------------------------------------------------------------------


def test_anthropic_sends_messages_and_streams(gateway):
    client = anthropic_on(gateway)
    answer = client.messages.create(model="claude", max_tokens=99, messages=HELLO)
    assert answer.content[0].text == "Hello there, stranger." and answer.usage.output_tokens > 0
    with client.messages.stream(model="claude", max_tokens=99, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == "Hello there, stranger."
        assert stream.get_final_message().usage.output_tokens > 0
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(model="down", max_tokens=9, messages=HELLO)


def test_anthropic_streams_in_tasks(gateway):
    async def main():
        http = httpx2.AsyncClient(transport=sluice.httpx2.AsyncTransport(gateway))
        async with anthropic.AsyncAnthropic(base_url="http://sluice", api_key="unused", max_retries=0, http_client=http) as client:

            async def one():
                async with client.messages.stream(model="claude", max_tokens=99, messages=HELLO) as stream:
                    return "".join([text async for text in stream.text_stream])

            assert await asyncio.gather(*(one() for _ in range(50))) == ["Hello there, stranger."] * 50

    run(main())


def test_anthropic_calls_tools_and_gets_errors_of_its_own_kind(sluice_simulation):
    sluice_simulation.upstream("quick").calls_tool("get_weather", '{"city": "Köln"}')
    document = {**configuration(), "upstreams": [{"name": "quick", "provider": "openai-compatible", "dialect": "anthropic", "url": "http://quick.test/v1"}]}
    document["routes"] = [{"name": "all", "match": {"path": "/v1/messages"}, "upstreams": [{"name": "quick"}], "retry": {"attempts": 1}}]
    with sluice_simulation.gateway(document) as gateway:
        client = anthropic_on(gateway)
        tools = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
        answer = client.messages.create(model="claude", max_tokens=99, messages=HELLO, tools=tools)
        assert [part.input for part in answer.content if part.type == "tool_use"] == [{"city": "Köln"}]
        sluice_simulation.upstream("quick").fails(429, retry_after=3)
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(model="claude", max_tokens=9, messages=HELLO)
        assert caught.value.response.headers["retry-after"]


# --- the client libraries themselves ---------------------------------------------------------------------------------------


def test_any_request_goes_through_and_a_closed_gateway_is_a_transport_error(opens, library):
    client, transports = library
    gateway = opens()
    with client.Client(transport=transports.Transport(gateway), base_url="http://sluice") as http:
        answer = http.post(CHAT, json=hello())
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
        assert http.get("/nowhere").status_code == 404
        with http.stream("POST", CHAT, json=hello(stream=True)) as stream:
            assert b"".join(stream.iter_bytes()).rstrip().endswith(b"[DONE]")
        assert http.post(CHAT, content=iter([b'{"model": "smart", ', b'"messages": [{"role": "user", "content": "hi"}]}'])).status_code == 200
        gateway.close()
        with pytest.raises(sluice.ClosedError):
            http.post(CHAT, json=hello())
