"""Carries clients on httpx2 through a gateway in this process, without a socket. `sluice.httpx` is the same for httpx.

    client = anthropic.Anthropic(base_url="http://sluice", api_key="unused",
                                 http_client=httpx2.Client(transport=sluice.httpx2.Transport(gateway, consumer="app")))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2

from sluice.gateway import Gateway
from sluice.wire import Failures, Wire

_FAILURES = Failures(late=httpx2.ReadTimeout, unreachable=httpx2.ConnectError, broken=httpx2.RemoteProtocolError)


class _Body(httpx2.SyncByteStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __iter__(self) -> Iterator[bytes]:
        return self._wire.chunks()

    def close(self) -> None:
        self._wire.close()


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._wire.achunks()

    async def aclose(self) -> None:
        self._wire.close()


class Transport(httpx2.BaseTransport):
    """For `httpx2.Client(transport=...)`. Host and scheme of the URL are for the gateway's routes; nothing is connected to.

    consumer: who calls, by name; the key that the client sends is not looked at then. Without it, the key says who calls. Of the
    client's timeouts the one for reading holds: for the head of an answer, and for each silence in it.
    """

    def __init__(self, gateway: Gateway, consumer: str | None = None) -> None:
        self._gateway = gateway
        self._consumer = consumer

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        wire = Wire(self._gateway, request, request.read(), self._consumer, _FAILURES)
        head = wire.head()
        return httpx2.Response(head.status, headers=head.fields, stream=_Body(wire))


class AsyncTransport(httpx2.AsyncBaseTransport):
    """The same for `httpx2.AsyncClient(transport=...)`, on asyncio."""

    def __init__(self, gateway: Gateway, consumer: str | None = None) -> None:
        self._gateway = gateway
        self._consumer = consumer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        wire = Wire(self._gateway, request, await request.aread(), self._consumer, _FAILURES)
        head = await wire.ahead()
        return httpx2.Response(head.status, headers=head.fields, stream=_AsyncBody(wire))
