"""A stream: one call, read event by event, by a thread or by a task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from sluice.answer import Chunk, Delta, End, Head, Headers, Outcome, Response, error_of, headers_of, outcome_of
from sluice.calls import Event, Inbox, LoopReader, Reader, ThreadReader
from sluice.errors import CancelledError, DeadlockError, Error, Origin

if TYPE_CHECKING:
    from typing import Self

# What is kept of an error answer, for the exception that tells of it.
_KEPT = 64 * 1024


def _let_go(reader: Reader | None, inbox: Inbox, rouse: bool) -> None:
    assert reader is not None
    try:
        reader.drop(inbox)
        if rouse:
            reader.rouse(inbox)
    except (Error, RuntimeError):
        pass  # closed, of a parent process, or its loop is closed: it has ended, or is not ours to end


def stuck() -> DeadlockError:
    """For a wait that nothing can end."""
    return DeadlockError("nothing is left to happen in this gateway, and the call has not ended", code="would_deadlock", number=102, origin=Origin.CALLER)


class Stream:
    """One call, event by event: `for` in a thread, `async for` in a task.

    The request is sent when the stream is entered or first iterated. Iterating gives deltas, or chunks where the answer was asked
    for raw or has no decoded text; it ends with the answer, and raises the `Error` that ended it otherwise. Leaving it early
    (`with`, `close`, or letting go of it) ends the call. Thread: one at a time.
    """

    def __init__(self, reader_of: Callable[[bool], Reader], request: Any, check: bool) -> None:
        self._reader_of = reader_of
        self._request = request
        self._check = check
        self._reader: Reader | None = None
        self._inbox: Inbox | None = None
        self._head: Head | None = None
        self._headers: Headers | None = None
        self._end: End | None = None
        self._outcome: Outcome | None = None
        self._error_body = b""
        self._told = False  # the end, to whoever iterates

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stream cannot be pickled: it is a call of this process")

    # --- what is known of it ----------------------------------------------------------------------------------------------

    @property
    def status(self) -> int | None:
        """The answer's status; None before its head has come (`head()` waits for it)."""
        return self._head.status if self._head else None

    @property
    def headers(self) -> Headers | None:
        """The answer's header fields; None before its head has come."""
        if self._headers is None and self._head is not None:
            self._headers = headers_of(self._head.fields)
        return self._headers

    @property
    def end(self) -> End | None:
        """The end of the call as the library tells it; None before it has come."""
        return self._end

    @property
    def outcome(self) -> Outcome | None:
        """What became of the call; None before its end has come."""
        if self._outcome is None and self._end is not None:
            self._outcome = outcome_of(self._end.outcome)
        return self._outcome

    # --- sending and taking -----------------------------------------------------------------------------------------------

    def _start(self, in_loop: bool) -> Inbox:
        if self._inbox is None:
            reader = self._reader_of(in_loop)
            inbox = reader.submit(self._request, bounded=True)
            self._reader, self._inbox, self._request = reader, inbox, None
        return self._inbox

    def _took(self, event: Event) -> Delta | Chunk | None:
        """What of an event is the reader's: nothing of a head or an end."""
        if isinstance(event, Head):
            self._head = event
            return None
        if isinstance(event, End):
            self._end = event
            return None
        if isinstance(event, Chunk) and self._head is not None and self._head.status >= 400 and len(self._error_body) < _KEPT:
            self._error_body += event.data
        return event

    def _finish(self) -> None:
        """Behind the last event: raises what ended the call, once."""
        if self._told or not self._check:
            return
        self._told = True
        if self._end is None:
            raise CancelledError("the stream was closed", code="cancelled", number=100, origin=Origin.CALLER)
        status = self._head.status if self._head else 0
        if self._end.number or status >= 400:
            response = Response(status, self.headers or Headers(), self._error_body, self._end) if self._head else None
            raise error_of(self._end, response)

    # --- in a thread ------------------------------------------------------------------------------------------------------

    def next(self, timeout: float | None = None) -> Delta | Chunk | None:
        """The next event; None where none came within `timeout` seconds. StopIteration behind the last."""
        inbox = self._start(in_loop=False)
        reader = self._reader
        if not isinstance(reader, ThreadReader):
            raise RuntimeError("this stream belongs to an asyncio loop: use `async for`")
        while self._end is None and not inbox.ended:
            event = reader.next(inbox, timeout)
            if event is None:
                if inbox.ended:
                    break
                if timeout is not None:
                    return None
                raise stuck()
            mine = self._took(event)
            if mine is not None:
                return mine
        self._finish()
        raise StopIteration

    def head(self, timeout: float | None = None) -> Head | None:
        """Waits for the answer's head; None where it did not come within `timeout` seconds, or the call ended without one."""
        inbox = self._start(in_loop=False)
        reader = self._reader
        if not isinstance(reader, ThreadReader):
            raise RuntimeError("this stream belongs to an asyncio loop: use `ahead`")
        while self._head is None and self._end is None:
            event = reader.next(inbox, timeout)
            if event is None:
                return None
            self._took(event)
        return self._head

    def __iter__(self) -> Iterator[Delta | Chunk]:
        self._start(in_loop=False)
        return self

    def __next__(self) -> Delta | Chunk:
        # What is here already needs none of what waiting does.
        if self._inbox is not None and type(self._reader) is ThreadReader:
            ready = self._inbox.take(self._reader.gateway)
            if type(ready) is Delta:
                return ready
            mine = None if ready is None else self._took(ready)
            if mine is not None:
                return mine
        event = self.next()
        assert event is not None
        return event

    def __enter__(self) -> Self:
        self._start(in_loop=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the call, unless it has ended. Thread: any."""
        if self._inbox is not None and not self._inbox.ended:
            _let_go(self._reader, self._inbox, rouse=True)

    def __del__(self) -> None:
        inbox = getattr(self, "_inbox", None)
        if inbox is not None and not inbox.ended:
            _let_go(self._reader, inbox, rouse=False)

    # --- in a task --------------------------------------------------------------------------------------------------------

    async def anext(self, timeout: float | None = None) -> Delta | Chunk | None:
        """The next event, for a task; None where none came within `timeout` seconds. StopAsyncIteration behind the last."""
        inbox = self._start(in_loop=True)
        reader = self._reader
        if not isinstance(reader, LoopReader):
            raise RuntimeError("this stream belongs to threads: use `for`")
        while self._end is None and not inbox.ended:
            event = await reader.next(inbox, timeout)
            if event is None:
                if inbox.ended:
                    break
                return None
            mine = self._took(event)
            if mine is not None:
                return mine
        self._finish()
        raise StopAsyncIteration

    async def ahead(self, timeout: float | None = None) -> Head | None:
        """Waits for the answer's head, in a task; None where it did not come within `timeout` seconds, or the call ended without one."""
        inbox = self._start(in_loop=True)
        reader = self._reader
        if not isinstance(reader, LoopReader):
            raise RuntimeError("this stream belongs to threads: use `head`")
        while self._head is None and self._end is None:
            event = await reader.next(inbox, timeout)
            if event is None:
                break
            self._took(event)
        return self._head

    def __aiter__(self) -> AsyncIterator[Delta | Chunk]:
        self._start(in_loop=True)
        return self

    async def __anext__(self) -> Delta | Chunk:
        if self._inbox is not None and type(self._reader) is LoopReader:
            ready = self._inbox.take(self._reader.gateway)
            if type(ready) is Delta:
                return ready
            mine = None if ready is None else self._took(ready)
            if mine is not None:
                return mine
        event = await self.anext()
        assert event is not None
        return event

    async def __aenter__(self) -> Self:
        self._start(in_loop=True)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def aclose(self) -> None:
        """Ends the call, unless it has ended."""
        self.close()
