"""The gateway, as programs use it. Knows how requests are stated and answers are gathered; must not know how anybody waits."""

from __future__ import annotations

import asyncio
import atexit
import json as jsons
import logging
import os
import threading
import warnings
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from sluice import _native
from sluice.answer import Chunk, End, Headers, Response, error_of, headers_of
from sluice.calls import WINDOW, Driver, Event, LoopReader, Reader, ThreadReader
from sluice.errors import Error, ForkedError, Origin
from sluice.plugin import Plugin, Service
from sluice.request import DELTAS, RAW, Config, Fields, HeaderList, asked, stated
from sluice.server import Server
from sluice.stream import Stream, stuck

if TYPE_CHECKING:
    from typing import Self

    from sluice.testing import Simulation

@dataclass(frozen=True, slots=True)
class Explanation:
    """Which route and upstream a request would take, and why."""

    status: int
    """200, or that of the refusal."""
    text: str
    """For a person."""
    details: dict[str, Any]
    """For a program."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts since the gateway opened, unless said otherwise."""

    exchanges_started: int
    exchanges_open: int
    """Now."""
    completed: int
    refused: int
    failed: int
    cancelled: int
    body_bytes_held: int
    """Of requests, now."""
    replayed_sends: int
    decoded_answers: int
    plugin_errors: int
    plugin_timeouts: int
    plugins_failed_open: int
    ignored_resumes: int
    unrecorded_verdicts: int
    max_loop_lag_ns: int
    """The longest an engine's loop was busy since this was last asked."""
    engines: int
    events_written: int
    events_dropped: int


class _Driver:
    """Moves a gateway that has no threads, and answers its plugins in between."""

    def __init__(self, gateway: _native.Gateway, service: Service, simulation: Simulation | None) -> None:
        self._gateway = gateway
        self._service = service
        self._simulation = simulation
        self._looked = False

    def step(self, wait_ms: int) -> bool:
        if self._simulation is None:
            answered = self._service.pump()
            moved = self._gateway.drive(0 if answered else wait_ms) > 0 or wait_ms > 0
            return self._service.pump() or moved or answered
        # What is due now comes first, then whoever waits looks at it, and only when nobody is content does time pass.
        self._simulation.native.advance(self._gateway, 0)
        if self._service.pump():
            return True
        self._looked = not self._looked
        return self._looked or self._simulation.native.step(self._gateway)

    def fileno(self) -> int:
        return -1 if self._simulation is not None else self._gateway.fileno()


class Gateway:
    """An AI gateway in this process: engine threads, upstreams, routes, consumers and every call in flight.

        with sluice.Gateway("gateway.json") as gateway:
            answer = gateway.request("/v1/chat/completions", json={...}, consumer="app")

    It listens on nothing, unless `serve` is called. It belongs to the process that opened it: in a child of a fork every call
    raises `ForkedError`. Thread: any; and any number of asyncio loops.
    """

    def __init__(
        self,
        config: Config,
        *,
        plugins: Sequence[Plugin] = (),
        threads: int | None = None,
        seed: int = 0,
        logger: logging.Logger | None = logging.getLogger("sluice"),
        plugin_threads: int = 8,
        simulation: Simulation | None = None,
    ) -> None:
        """Opens. Touches no network; of the environment and of files it reads what the configuration refers to.

        plugins: see `sluice.Plugin`. threads: engine threads, whatever the configuration says; 0: none, and whoever waits does the
        work. seed: what ids and every chance come from; 0: from the system. logger: where the lines of the log go, on a thread
        of Python's; None: nowhere. plugin_threads: how many hooks may run at once. simulation: see `sluice.testing`.
        """
        self._closed = True  # until it is open
        text, path = stated(config)
        service = Service(plugins, logger, plugin_threads)
        self._native = _native.open(
            text, path, -1 if threads is None else threads, seed, service.log, service.rows(), service.queue, simulation.native if simulation else None
        )
        self._service = service
        self._driver: Driver | None = None
        # A configuration may say `threads: 0` too: then there is a descriptor to wait for.
        if simulation is not None or self._native.fileno() >= 0:
            self._driver = _Driver(self._native, service, simulation)
        service.attach(self._native, threaded=self._driver is None)
        if simulation is not None:
            simulation.attach(self._native, service)
        self._lock = threading.Lock()
        self._thread_reader: ThreadReader | None = None
        self._loop_readers: dict[int, LoopReader] = {}
        self._forked = False
        self._closed = False
        _open_gateways.add(self)

    # --- requests ---------------------------------------------------------------------------------------------------------

    def request(
        self,
        target: str,
        *,
        json: object = None,
        body: bytes | str | None = None,
        method: str | None = None,
        headers: HeaderList | None = None,
        consumer: str | None = None,
        deadline: float | None = None,
        check: bool = True,
    ) -> Response:
        """Sends a request and waits for the whole answer, with the interpreter's lock given up.

        target: path and query. json or body: what is sent. method: POST with a body and GET without, if not said. consumer: who
        calls, by name; no key in the headers is looked at then. deadline: seconds, shortens the route's own. check: raise the
        `Error` of an answer that is not the one asked for (a status of 400 or more, or one that broke off), with the answer in
        its `response`; otherwise it is in `Response.error`.
        """
        reader = self._reader(in_loop=False)
        inbox = reader.submit(asked(target, json, body, method, headers, consumer, deadline), bounded=False)
        answer = _Gathering()
        try:
            while answer.end is None:
                event = reader.next(inbox)
                if event is None:
                    raise stuck()
                answer.add(event)
        finally:
            if answer.end is None:
                reader.drop(inbox)
        return answer.response(check)

    async def arequest(
        self,
        target: str,
        *,
        json: object = None,
        body: bytes | str | None = None,
        method: str | None = None,
        headers: HeaderList | None = None,
        consumer: str | None = None,
        deadline: float | None = None,
        check: bool = True,
    ) -> Response:
        """The same for a task of asyncio. A task that is cancelled cancels the call."""
        reader = self._reader(in_loop=True)
        inbox = reader.submit(asked(target, json, body, method, headers, consumer, deadline), bounded=False)
        answer = _Gathering()
        try:
            while answer.end is None:
                event = await reader.next(inbox)
                if event is None:
                    raise stuck()
                answer.add(event)
        finally:
            if answer.end is None:
                reader.drop(inbox)
        return answer.response(check)

    def stream(
        self,
        target: str,
        *,
        json: object = None,
        body: bytes | str | None = None,
        method: str | None = None,
        headers: HeaderList | None = None,
        consumer: str | None = None,
        deadline: float | None = None,
        raw: bool = False,
        check: bool = True,
    ) -> Stream:
        """A call to be read event by event: `for event in` or `async for event in`. raw: the bytes a wire client would get, as
        chunks, instead of decoded deltas. The rest as in `request`; for a stream, say `"stream": true` in the body."""
        request = asked(target, json, body, method, headers, consumer, deadline, WINDOW, RAW if raw else DELTAS)
        return Stream(self._reader, request, check)

    def wire_stream(self, method: str, target: str, fields: Fields, body: bytes | None, consumer: str | None) -> Stream:
        """A call as a wire client makes it, for transports: octets in, octets out, and no status is an exception."""
        return Stream(self._reader, (method, target, fields, body, consumer, 0, WINDOW, RAW), check=False)

    def explain(
        self,
        target: str,
        *,
        json: object = None,
        body: bytes | str | None = None,
        method: str | None = None,
        headers: HeaderList | None = None,
        consumer: str | None = None,
    ) -> Explanation:
        """Says which route and upstream a request would take, and why; nothing is sent."""
        self._judge()
        status, text, details = self._native.explain(asked(target, json, body, method, headers, consumer, None))
        return Explanation(status, text, jsons.loads(details))

    # --- the gateway itself -----------------------------------------------------------------------------------------------

    def reload(self, config: Config) -> None:
        """Puts another configuration in force. Calls that run keep theirs; with a mistake the old one stays."""
        self._judge()
        self._native.reload(*stated(config))

    def dump(self) -> dict[str, Any]:
        """The configuration in force, defaults included, secrets masked."""
        self._judge()
        document: dict[str, Any] = jsons.loads(self._native.dump())
        return document

    def statistics(self) -> Statistics:
        """Counts of this gateway."""
        self._judge()
        return Statistics(**self._native.statistics())

    def serve(self) -> Server:
        """Listens on the addresses of the configuration, over HTTP/1.1, on the gateway's own threads."""
        self._judge()
        return Server(self._native.serve())

    def close(self) -> None:
        """Cancels what is open and ends the engines. What waits for a call gets its end. Again, it does nothing."""
        if self._closed:
            return
        self._closed = True
        _open_gateways.discard(self)
        if self._forked:
            return
        self._native.close()
        self._service.stop()
        with self._lock:
            readers, self._loop_readers = list(self._loop_readers.values()), {}
        for reader in readers:
            try:
                reader.loop.call_soon_threadsafe(reader.retire)
            except RuntimeError:
                pass  # its loop is closed

    @property
    def closed(self) -> bool:
        """close() was called."""
        return self._closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._driver is not None:
            self.close()  # nothing to wait for, and it belongs to this thread
        else:
            await asyncio.to_thread(self.close)
        await asyncio.sleep(0)  # the loop's own reader leaves it

    def __del__(self) -> None:
        if not self._closed and not self._forked:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a gateway cannot be pickled: it has threads and connections of this process; open another where it is needed")

    def __repr__(self) -> str:
        return f"<sluice.Gateway{' closed' if self._closed else ''} at {id(self):#x}>"

    # --- behind it --------------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        if self._forked:
            raise ForkedError(
                "this gateway was opened in a parent process; open one in this process, after the fork",
                code="forked",
                number=103,
                origin=Origin.CALLER,
            )

    def _reader(self, in_loop: bool) -> Any:
        self._judge()
        if not in_loop:
            if self._thread_reader is None:
                with self._lock:
                    self._thread_reader = self._thread_reader or ThreadReader(self._native, self._driver)
            return self._thread_reader
        loop = asyncio.get_running_loop()
        reader: Reader | None = self._loop_readers.get(id(loop))
        if reader is None or reader.loop is not loop:  # type: ignore[attr-defined]
            with self._lock:
                # Those of loops that are closed go with their queues, and what is open on them is cancelled.
                self._loop_readers = {key: known for key, known in self._loop_readers.items() if not known.loop.is_closed()}
                reader = LoopReader(self._native, self._driver, loop)
                self._loop_readers[id(loop)] = reader
        return reader


class _Gathering:
    """A whole answer, piece by piece."""

    __slots__ = ("status", "headers", "pieces", "end")

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers | None = None
        self.pieces: list[bytes] = []
        self.end: End | None = None

    def add(self, event: Event) -> None:
        if isinstance(event, Chunk):
            self.pieces.append(event.data)
        elif isinstance(event, End):
            self.end = event
        else:
            self.status = event.status  # type: ignore[union-attr]
            self.headers = headers_of(event.fields)  # type: ignore[union-attr]

    def response(self, check: bool) -> Response:
        """The answer; raises where there is none, or where it is to be checked and is none that was asked for."""
        assert self.end is not None
        if self.headers is None:
            raise error_of(self.end, None)
        response = Response(self.status, self.headers, b"".join(self.pieces), self.end)
        return response.raise_for_status() if check else response


_open_gateways: weakref.WeakSet[Gateway] = weakref.WeakSet()


def _forked() -> None:
    for gateway in list(_open_gateways):
        gateway._forked = True
        gateway._native.after_fork()
    _open_gateways.clear()


def _close_all() -> None:
    """Ends the engines before the interpreter does: what still waits gets its end while there is one to give it to."""
    for gateway in list(_open_gateways):
        try:
            gateway.close()
        except Error:
            pass


os.register_at_fork(after_in_child=_forked)
atexit.register(_close_all)

__all__ = ["Config", "Explanation", "Gateway", "HeaderList", "Statistics"]
