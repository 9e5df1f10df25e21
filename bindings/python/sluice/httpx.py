"""Carries clients on httpx through a gateway in this process, without a socket. `sluice.httpx2` is the same for httpx2.

    client = openai.OpenAI(base_url="http://sluice/v1", api_key="unused",
                           http_client=httpx.Client(transport=sluice.httpx.Transport(gateway, consumer="app")))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx

from sluice.gateway import Gateway
from sluice.wire import Failures, Wire

_FAILURES = Failures(late=httpx.ReadTimeout, unreachable=httpx.ConnectError, broken=httpx.RemoteProtocolError)


class _Body(httpx.SyncByteStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __iter__(self) -> Iterator[bytes]:
        return self._wire.chunks()

    def close(self) -> None:
        self._wire.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._wire.achunks()

    async def aclose(self) -> None:
        self._wire.close()


class Transport(httpx.BaseTransport):
    """For `httpx.Client(transport=...)`. Host and scheme of the URL are for the gateway's routes; nothing is connected to.

    consumer: who calls, by name; the key that the client sends is not looked at then. Without it, the key says who calls. Of the
    client's timeouts the one for reading holds: for the head of an answer, and for each silence in it.
    """

    def __init__(self, gateway: Gateway, consumer: str | None = None) -> None:
        self._gateway = gateway
        self._consumer = consumer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wire = Wire(self._gateway, request, request.read(), self._consumer, _FAILURES)
        head = wire.head()
        return httpx.Response(head.status, headers=head.fields, stream=_Body(wire))


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient(transport=...)`, on asyncio."""

    def __init__(self, gateway: Gateway, consumer: str | None = None) -> None:
        self._gateway = gateway
        self._consumer = consumer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wire = Wire(self._gateway, request, await request.aread(), self._consumer, _FAILURES)
        head = await wire.ahead()
        return httpx.Response(head.status, headers=head.fields, stream=_AsyncBody(wire))
