"""Calls under way: who waits for their events, and how.

A completion queue has one consumer. So each asyncio loop that uses a gateway has a queue of its own, with one reader on its
descriptor; and all threads that wait have one together, which one of them polls for all. Knows nothing of HTTP or JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import queue as queues
import threading
import time
from typing import Any, Protocol

from sluice import _native
from sluice.answer import Chunk, Delta, End, Head
from sluice.errors import ClosedError, Error

Event = Head | Chunk | Delta | End

WINDOW = 256 * 1024
"""Bytes of content that may wait for a reader of a stream; then the upstream of this stream is paused, and nobody else's."""


class Driver(Protocol):
    """Moves a gateway that has no threads."""

    def step(self, wait_ms: int) -> bool:
        """Lets the next thing happen, waiting for it if so asked; False where nothing is left to happen."""

    def fileno(self) -> int:
        """Readable when there is something to do; -1 where nothing comes by itself."""


class Inbox:
    """What has come for one call and was not taken yet."""

    __slots__ = ("tag", "call", "came", "_ready", "_untold", "_bounded", "waiter", "ended")

    def __init__(self, tag: int, bounded: bool) -> None:
        self.tag = tag
        self.call = 0
        self.came: list[Event] = []  # the native module appends here
        self._ready: list[Event] = []
        self._untold = 0
        self._bounded = bounded
        self.waiter: Any = None  # a future or a queue, of whoever waits
        self.ended = False  # its END was taken

    def take(self, gateway: _native.Gateway) -> Event | None:
        """The next event, in order; None where none is here. Gives the upstream credit for what was taken."""
        if not self._ready:
            if not self.came:
                return None
            ready = self.came[:]
            del self.came[: len(ready)]
            ready.reverse()
            self._ready = ready
        event = self._ready.pop()
        kind = type(event)
        if kind is End:
            self.ended = True
        elif self._bounded and kind is not Head:
            data: Any = event[0]
            # Credit is counted in bytes; text is mostly ASCII, of which that is the length.
            self._untold += len(data) if kind is Chunk or data.isascii() else len(data.encode())
            if self._untold >= WINDOW // 2:
                told, self._untold = self._untold, 0
                try:
                    gateway.credit(self.call, told)
                except ClosedError:
                    pass  # what is here is the rest
        return event


class Reader:
    """One queue and the calls whose events come there. The two kinds below differ in how they wait."""

    def __init__(self, gateway: _native.Gateway, driver: Driver | None) -> None:
        self.gateway = gateway
        self._driver = driver
        self._queue = _native.new_queue()
        self._tags = itertools.count(1)
        self._lists: dict[int, list[Event]] = {}
        self._inboxes: dict[int, Inbox] = {}

    def submit(self, request: Any, bounded: bool) -> Inbox:
        """Sends a request."""
        inbox = Inbox(next(self._tags), bounded)
        self._lists[inbox.tag] = inbox.came
        self._inboxes[inbox.tag] = inbox
        try:
            inbox.call = self.gateway.submit(self._queue, inbox.tag, request)
        except BaseException:
            self.forget(inbox)
            raise
        return inbox

    def forget(self, inbox: Inbox) -> None:
        """Takes no more events of this call."""
        self._lists.pop(inbox.tag, None)
        self._inboxes.pop(inbox.tag, None)

    def drop(self, inbox: Inbox) -> None:
        """Ends a call nobody waits for any more. Thread: any."""
        if inbox.ended or inbox.call == 0:
            return
        inbox.ended = True
        self.forget(inbox)
        self.gateway.cancel(inbox.call)

    def rouse(self, inbox: Inbox) -> None:
        """Wakes whoever waits for a call that was dropped. Thread: any."""
        raise NotImplementedError

    def _poll(self) -> tuple[list[int], int]:
        touched, _ended, count = self._queue.poll(self._lists)
        return touched, count

    def _settled(self, touched: list[int]) -> list[Inbox]:
        inboxes, lists = self._inboxes, self._lists
        reached = []
        for tag in touched:
            inbox = inboxes.get(tag)
            if inbox is not None:
                reached.append(inbox)
                if tag not in lists:  # its END has come
                    del inboxes[tag]
        return reached


class ThreadReader(Reader):
    """For threads that wait. One of them leads: it polls, with the interpreter's lock given up, and hands out what comes."""

    def __init__(self, gateway: _native.Gateway, driver: Driver | None) -> None:
        super().__init__(gateway, driver)
        self._lock = threading.RLock()  # a collection inside it may drop a stream of this very reader
        self._leader: Inbox | None = None
        self._followers: dict[Inbox, queues.SimpleQueue[None]] = {}

    def rouse(self, inbox: Inbox) -> None:
        with self._lock:
            bell = self._followers.get(inbox)
            if bell is not None:
                bell.put(None)
            elif self._leader is inbox:
                self._queue.wake()

    def next(self, inbox: Inbox, timeout: float | None = None) -> Event | None:
        """The next event of a call; None where none came in time, or it was dropped meanwhile."""
        event = inbox.take(self.gateway)
        if event is not None:
            return event
        if self._driver is not None:
            return self._drive(inbox, self._driver)
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while event is None and not inbox.ended:
                bell = self._join(inbox)
                if bell is None:
                    self._lead(until)
                else:
                    self._follow(bell, until)
                event = inbox.take(self.gateway)
                if until is not None and time.monotonic() >= until:
                    break
            return event
        finally:
            self._leave(inbox, event is None)

    def _join(self, inbox: Inbox) -> queues.SimpleQueue[None] | None:
        with self._lock:
            if self._leader is None or self._leader is inbox:
                self._leader = inbox
                return None
            bell = self._followers.get(inbox)
            if bell is None:
                bell = self._followers[inbox] = queues.SimpleQueue()
            # What came before the bell was there, nobody has rung for.
            if inbox.came:
                bell.put(None)
            return bell

    def _lead(self, until: float | None) -> None:
        touched, count = self._poll()
        if not count:
            self._queue.wait(-1 if until is None else max(0, int((until - time.monotonic()) * 1000 + 0.999)))
            touched, count = self._poll()
        reached = self._settled(touched)
        with self._lock:
            for inbox in reached:
                bell = self._followers.get(inbox)
                if bell is not None:
                    bell.put(None)

    @staticmethod
    def _follow(bell: queues.SimpleQueue[None], until: float | None) -> None:
        try:
            bell.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except queues.Empty:
            pass

    def _leave(self, inbox: Inbox, disturbed: bool) -> None:
        """Passes the lead on. Whoever left without an event may have been stopped anywhere: all look for themselves then."""
        with self._lock:
            self._followers.pop(inbox, None)
            if self._leader is inbox:
                self._leader = next(iter(self._followers), None)
                if self._leader is not None:
                    self._followers[self._leader].put(None)
            if disturbed:
                for bell in self._followers.values():
                    bell.put(None)

    def _drive(self, inbox: Inbox, driver: Driver) -> Event | None:
        """In a gateway without threads, whoever waits does the work."""
        while True:
            self._settled(self._poll()[0])
            event = inbox.take(self.gateway)
            if event is not None:
                return event
            if not driver.step(1000) and not inbox.came:
                self._settled(self._poll()[0])
                if not inbox.came:
                    return None


class LoopReader(Reader):
    """For one asyncio loop: one reader on the queue's descriptor wakes the tasks that wait. Thread: the loop's."""

    def __init__(self, gateway: _native.Gateway, driver: Driver | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(gateway, driver)
        self.loop = loop
        self._moving = False
        loop.add_reader(self._queue.fileno(), self._drain)
        if driver is not None and driver.fileno() >= 0:
            loop.add_reader(driver.fileno(), self._move)

    def detach(self) -> None:
        """Leaves the loop."""
        if not self.loop.is_closed():
            self.loop.remove_reader(self._queue.fileno())
            if self._driver is not None and self._driver.fileno() >= 0:
                self.loop.remove_reader(self._driver.fileno())

    def submit(self, request: Any, bounded: bool) -> Inbox:
        inbox = super().submit(request, bounded)
        self._move_soon()
        return inbox

    def rouse(self, inbox: Inbox) -> None:
        if inbox.waiter is not None:
            self.loop.call_soon_threadsafe(self._wake, inbox)

    @staticmethod
    def _wake(inbox: Inbox) -> None:
        if inbox.waiter is not None and not inbox.waiter.done():
            inbox.waiter.set_result(None)

    def _drain(self) -> None:
        # One batch a turn: what is left makes the descriptor readable again, behind whoever else has waited.
        for inbox in self._settled(self._poll()[0]):
            waiter = inbox.waiter
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def retire(self) -> None:
        """Hands out what a gateway that is closed has left, and leaves the loop."""
        count = 1
        while count:
            touched, count = self._poll()
            for inbox in self._settled(touched):
                self._wake(inbox)
        self.detach()

    def _move_soon(self) -> None:
        if self._driver is not None and not self._moving:
            self._moving = True
            self.loop.call_soon(self._move)

    def _move(self) -> None:
        """One step of a gateway without threads; the tasks that it reaches run before the next."""
        assert self._driver is not None
        self._moving = False
        try:
            moved = self._driver.step(0)
        except Error:  # closed: the ends of its calls are here
            moved = False
        self._drain()
        if moved and self._inboxes:
            self._move_soon()

    async def next(self, inbox: Inbox, timeout: float | None = None) -> Event | None:
        """The next event of a call; None where none came in time, or it was dropped meanwhile. A task that is cancelled here has
        lost nothing: the event stays for who asks next."""
        event = inbox.take(self.gateway)
        if event is not None:
            return event
        loop = self.loop
        until = 0.0 if timeout is None else loop.time() + timeout
        alarm = None if timeout is None else loop.call_at(until, self._wake, inbox)
        try:
            while not inbox.ended:
                if inbox.waiter is not None:
                    raise RuntimeError("another task waits for this stream; one at a time reads it")
                self._move_soon()
                inbox.waiter = loop.create_future()
                try:
                    await inbox.waiter
                finally:
                    inbox.waiter = None
                event = inbox.take(self.gateway)
                if event is not None or (timeout is not None and loop.time() >= until):
                    break
            return event
        finally:
            if alarm is not None:
                alarm.cancel()
