"""Plugins in Python: queued hooks, answered by threads of Python's own.

An engine thread never waits for the interpreter: it leaves the hook in a queue and goes on with other exchanges, and the exchange
of the hook waits for its answer. Knows nothing of calls.
"""

from __future__ import annotations

import concurrent.futures
import enum
import json
import logging
import select
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice import _native
from sluice.answer import Channel, Delta
from sluice.errors import ClosedError, Error, ForkedError

_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_REQUEST, _ATTEMPT, _HEAD, _DELTA, _ANSWER_END, _FINISH = range(1, 7)
_CONTINUE, _REPLY, _FAIL = 0, 2, 3
_EDIT_TEXT, _EDIT_BODY, _EDIT_HEADERS = 1, 2, 4
_PLUGIN_ERROR = 140


class Phase(enum.IntEnum):
    """When a plugin runs: phases in this order, plugins of one phase in the order they are listed."""

    AUTHENTICATE = 0
    """Between head and body: `on_request` sees the head alone."""
    GUARD = 1
    TRANSFORM = 2
    ROUTE = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """The caller gets an answer that says `text`, in its dialect; no attempt is made. In `on_request` only."""

    text: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Fail:
    """The caller gets an error. `status` 0: that of the code (docs/errors.md)."""

    message: str
    code: str = "invalid_request"
    status: int = 0


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes. Text: of a delta (empty: held back), or added at the end of the answer. Body: of the request. Headers: set on the
    request, the attempt, or the answer's head. Needs `edits_request` or `edits_answer`."""

    text: str | None = None
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


Ruling = Reply | Fail | Edit | None
"""What a hook decides; None: go on."""


@dataclass(slots=True)
class Exchange:
    """One request on its way, as a plugin sees it. The same object in all hooks of one exchange; `state` is the plugin's own."""

    id: str = ""
    operation: str = ""
    dialect: str = ""
    consumer: str = ""
    tenant: str = ""
    route: str = ""
    method: str = ""
    path: str = ""
    model: str = ""
    stream: bool = False
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Of the request; in `on_head` those of the answer. For plugins with `on_request` or `on_head`."""
    body: str = ""
    """Of the request; for plugins with `on_request`."""
    upstream: str = ""
    """`on_attempt`: where it goes."""
    attempt: int = 0
    """`on_attempt`: 1, 2, ..."""
    status: int = 0
    """`on_head`: of the answer."""
    state: dict[str, Any] = field(default_factory=dict)


class Plugin:
    """Looks at exchanges on their way, and may stop, change or answer them. Override what is needed; what is not overridden is not
    asked for. Hooks run on threads of a pool, those of one exchange one after the other; each may take its time, up to the
    plugin's time-out, and keeps nobody waiting but its own exchange. What a hook raises is the plugin's failure, and its fail
    mode decides (docs/plugins.md)."""

    name: str = ""
    """Unique in a gateway: what a configuration, an error and the outcome call it. It runs where a plugin list of the configuration
    names it; where none does, on every route."""
    phase: Phase = Phase.GUARD
    edits_request: bool = False
    """`on_request` may change body and header fields."""
    edits_answer: bool = False
    """`on_delta` and `on_answer_end` may change, hold and add text."""

    def on_request(self, exchange: Exchange) -> Ruling:
        """Before any attempt."""
        return None

    def on_attempt(self, exchange: Exchange) -> Ruling:
        """One try at one upstream is about to be sent."""
        return None

    def on_head(self, exchange: Exchange) -> Ruling:
        """The answer's head, before the caller gets it."""
        return None

    def on_delta(self, exchange: Exchange, delta: Delta) -> Ruling:
        """One increment of the answer; an answer that is not streamed is one for each of its texts."""
        return None

    def on_answer_end(self, exchange: Exchange) -> Ruling:
        """After the last delta, before the end is told."""
        return None

    def on_finish(self, exchange: Exchange) -> None:
        """The exchange is over; nothing is to be decided."""


def wants_of(plugin: Plugin) -> int:
    """What of exchanges this plugin is asked about, as SLUICE_WANTS_*."""
    own = type(plugin)
    wants = 256  # on_finish, always: it ends the exchange's state
    if own.on_request is not Plugin.on_request:
        wants |= 9 if plugin.edits_request else 1
    if own.on_attempt is not Plugin.on_attempt:
        wants |= 16
    if own.on_head is not Plugin.on_head:
        wants |= 32
    if own.on_delta is not Plugin.on_delta or own.on_answer_end is not Plugin.on_answer_end:
        # A delta says nothing of its exchange; the head does, once.
        wants |= (192 if plugin.edits_answer else 64) | (0 if wants & 1 else 32)
    return wants


def _code_numbers() -> dict[str, int]:
    names = {number: _native.code_name(number) for number in range(1, 256)}
    return {name: number for number, name in names.items() if name}


_NUMBERS = _code_numbers()


class _Session:
    """One exchange at one plugin. The lock: a hook that overran its time may still run when the next is asked."""

    __slots__ = ("exchange", "lock")

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.lock = threading.Lock()


class Service:
    """Fetches hooks and log lines of one gateway, on a thread of its own or when it is told to."""

    def __init__(self, plugins: Sequence[Plugin], logger: logging.Logger | None, workers: int) -> None:
        for plugin in plugins:
            if not isinstance(plugin, Plugin) or not plugin.name:
                raise TypeError(f"{plugin!r} is no sluice.Plugin with a name")
        self._plugins = list(plugins)
        self._logger = logger
        self._workers = workers
        self._sessions: dict[int, _Session] = {}
        self._gateway: _native.Gateway | None = None
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.queue = _native.new_queue() if self._plugins else None
        self.log = _native.new_log() if logger is not None else None

    def rows(self) -> list[tuple[str, int, int, int]]:
        """The plugins, for the native module: name, phase, wants, tag."""
        return [(plugin.name, int(plugin.phase), wants_of(plugin), index) for index, plugin in enumerate(self._plugins)]

    def attach(self, gateway: _native.Gateway, threaded: bool) -> None:
        """Begins to serve a gateway that is open."""
        self._gateway = gateway
        if threaded and (self.queue is not None or self.log is not None):
            if self.queue is None:
                self.queue = _native.new_queue()  # what wakes the thread
            if self._plugins:
                self._pool = concurrent.futures.ThreadPoolExecutor(self._workers, "sluice-plugin")
            self._thread = threading.Thread(target=self._run, name="sluice-service", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread. What the gateway has said until then is logged."""
        self._stopping = True
        thread = self._thread
        if thread is not None and self.queue is not None and thread is not threading.current_thread():
            self.queue.wake()
            thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._drain_log()
        self._sessions.clear()

    def pump(self) -> bool:
        """Answers what is asked, and logs what is to be logged, here and now. False where nothing was asked."""
        self._drain_log()
        hooks = self.queue.hooks() if self.queue is not None and self._plugins else []
        for hook in hooks:
            self._answer(*hook)
        return bool(hooks)

    def _run(self) -> None:
        assert self.queue is not None
        poller = select.poll()
        poller.register(self.queue.fileno(), select.POLLIN)
        if self.log is not None:
            poller.register(self.log.fileno(), select.POLLIN)
        while not self._stopping:
            poller.poll()
            try:
                for hook in self.queue.hooks():
                    self._hand_out(hook)
            except ForkedError:
                return
            self._drain_log()

    def _hand_out(self, hook: tuple[int, int, int, int, int, Any, int, bytes]) -> None:
        try:
            if self._pool is not None:
                self._pool.submit(self._answer, *hook)
        except RuntimeError:  # the interpreter is shutting down
            self._say(hook[1], Fail("the program ends", "plugin_error"))

    def _drain_log(self) -> None:
        if self.log is None or self._logger is None:
            return
        lines, lost = self.log.drain()
        for level, line in lines:
            self._logger.log(_LEVELS[min(max(level, 0), 3)], "%s", line)
        if lost:
            self._logger.warning("%d lines of the log were lost: they came faster than they were fetched", lost)

    def _answer(self, tag: int, hook: int, session: int, which: int, choice: int, channel: Any, tool_index: int, data: bytes) -> None:
        plugin = self._plugins[tag]
        if which == _FINISH:
            known = self._sessions.pop(session, None) or _Session()
        else:
            known = self._sessions.get(session) or self._sessions.setdefault(session, _Session())
        with known.lock:
            try:
                if which == _DELTA:
                    ruling = plugin.on_delta(known.exchange, Delta(data.decode("utf-8", "replace"), channel, choice, tool_index))
                else:
                    ruling = self._ask(plugin, known.exchange, which, data)
            except Exception:
                (self._logger or logging.getLogger("sluice")).exception("plugin %r raised", plugin.name)
                ruling = Fail("the plugin raised an exception", "plugin_error")
        if which != _FINISH:
            self._say(hook, ruling)

    @staticmethod
    def _ask(plugin: Plugin, exchange: Exchange, which: int, data: bytes) -> Ruling:
        if which == _FINISH:
            exchange.id = exchange.id or data.decode("utf-8", "replace")
            plugin.on_finish(exchange)
            return None
        said = json.loads(data.decode("utf-8", "replace"))
        exchange.attempt = said.pop("number", exchange.attempt)
        said["headers"] = [(name, value) for name, value in said.get("headers", exchange.headers)]
        for name, value in said.items():
            if name in Exchange.__slots__:
                setattr(exchange, name, value)
        hooks = {_REQUEST: plugin.on_request, _ATTEMPT: plugin.on_attempt, _HEAD: plugin.on_head, _ANSWER_END: plugin.on_answer_end}
        return hooks[which](exchange) if which in hooks else None

    def _say(self, hook: int, ruling: Ruling) -> None:
        assert self._gateway is not None
        answer = self._gateway.answer
        try:
            if ruling is None:
                answer(hook, _CONTINUE, 0, 0, 0, None, None, [])
            elif isinstance(ruling, Reply):
                answer(hook, _REPLY, ruling.status, 0, 0, ruling.text, None, [])
            elif isinstance(ruling, Fail):
                answer(hook, _FAIL, ruling.status, _NUMBERS.get(ruling.code, _PLUGIN_ERROR), 0, ruling.message, None, [])
            else:
                edits = _EDIT_TEXT if ruling.text is not None else 0
                edits |= (_EDIT_BODY if ruling.body is not None else 0) | (_EDIT_HEADERS if ruling.headers is not None else 0)
                fields = [(name.encode(), value.encode()) for name, value in (ruling.headers or {}).items()]
                answer(hook, _CONTINUE, 0, 0, edits, ruling.text, ruling.body, fields)
        except (ClosedError, ForkedError):
            pass  # nobody waits any more
        except Error as error:
            # The ruling itself is refused: the hook is not left to its time-out.
            (self._logger or logging.getLogger("sluice")).error("a ruling was refused: %s", error)
            answer(hook, _FAIL, 0, _PLUGIN_ERROR, 0, error.message, None, [])


__all__ = ["Channel", "Delta", "Edit", "Exchange", "Fail", "Phase", "Plugin", "Reply", "Ruling", "Service", "wants_of"]
