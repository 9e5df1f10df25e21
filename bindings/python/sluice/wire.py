"""What the transports of HTTP clients share: one request through the gateway, as bytes. Knows no client library: each hands in
its own exceptions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from sluice.answer import Chunk, Head
from sluice.gateway import Gateway
from sluice.stream import Stream

# Of one connection, which there is not.
_NOT_CARRIED = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"te", b"upgrade"}


@dataclass(frozen=True, slots=True)
class Failures:
    """The exceptions of a client library for what can go wrong on a wire."""

    late: type[Exception]
    unreachable: type[Exception]
    broken: type[Exception]


class Wire:
    """One request and its answer. What the gateway refuses is an answer, as on the wire; exceptions are for answers that did not
    come, or not whole."""

    def __init__(self, gateway: Gateway, request: Any, body: bytes, consumer: str | None, failures: Failures) -> None:
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _NOT_CARRIED]
        asked = (request.method, request.url.raw_path.decode("ascii"), headers, body or None, consumer)
        self._stream: Stream = gateway.wire_stream(*asked)
        timeout = request.extensions.get("timeout") or {}
        self._patience: float | None = timeout.get("read")
        self._failures = failures
        self._length: int | None = None
        self._given = 0

    def _head_or_failure(self, head: Head | None) -> Head:
        if head is not None:
            for name, value in head.fields:
                if name.lower() == b"content-length" and value.isdigit():
                    self._length = int(value)
            return head
        if self._stream.end is None:
            self.close()
            raise self._failures.late(f"no answer came within {self._patience} s")
        raise self._failures.unreachable(self._stream.end.message or "the call ended without an answer")

    def _chunk(self, event: object) -> bytes:
        if event is None:
            self.close()
            raise self._failures.late(f"nothing more came within {self._patience} s")
        assert isinstance(event, Chunk)
        self._given += len(event.data)
        return event.data

    def _judge_end(self) -> None:
        """A whole answer that broke off must not look whole. In a stream of events the gateway has said so itself."""
        end = self._stream.end
        if end is None or not end.number:
            return
        outcome = self._stream.outcome
        whole = self._given >= self._length if self._length is not None else outcome is not None and outcome.streamed
        if not whole:
            raise self._failures.broken(end.message)

    def head(self) -> Head:
        """Waits for the answer's head."""
        return self._head_or_failure(self._stream.head(self._patience))

    def chunks(self) -> Iterator[bytes]:
        """The answer's body, as it comes."""
        while True:
            try:
                event = self._stream.next(self._patience)
            except StopIteration:
                break
            yield self._chunk(event)
        self._judge_end()

    async def ahead(self) -> Head:
        """Waits for the answer's head, in a task. One that is cancelled meanwhile has ended the call."""
        try:
            return self._head_or_failure(await self._stream.ahead(self._patience))
        except BaseException:
            self.close()
            raise

    async def achunks(self) -> AsyncIterator[bytes]:
        """The answer's body, as it comes, for a task."""
        while True:
            try:
                event = await self._stream.anext(self._patience)
            except StopAsyncIteration:
                break
            yield self._chunk(event)
        self._judge_end()

    def close(self) -> None:
        """Ends the call, unless it has ended."""
        self._stream.close()
