"""What comes back: the events of a stream, whole answers, and the account of what became of a call."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from sluice import _native, errors


class Channel(enum.IntEnum):
    """What a delta adds to."""

    TEXT = 0
    REASONING = 1
    TOOL_ARGUMENTS = 2
    REFUSAL = 3
    TOOL_NAME = 4


class Ending(enum.IntEnum):
    """How a call ended."""

    COMPLETED = 0
    """The caller got a whole answer of the upstream, whatever its status."""
    REFUSED = 1
    """The gateway answered itself before any attempt."""
    FAILED = 2
    """An attempt was made, and no whole answer reached the caller."""
    CANCELLED = 3


class Head(NamedTuple):
    """The head of an answer."""

    status: int
    fields: list[tuple[bytes, bytes]]


class Chunk(NamedTuple):
    """Bytes of the answer's body: of one asked for raw, or of one that has no decoded text."""

    data: bytes


class Delta(NamedTuple):
    """One increment of an answer."""

    text: str
    channel: Channel = Channel.TEXT
    choice: int = 0
    tool_index: int = 0
    """Which tool call of this choice, from 0, for TOOL_NAME and TOOL_ARGUMENTS."""


class End(NamedTuple):
    """The last of a call, as the native module gives it. A stream makes an outcome or an exception of it."""

    status: int
    number: int
    ending: int
    message: str
    outcome: _native.Outcome | None


_native.register(errors.make_error, Head, Chunk, Delta, End, tuple(Channel))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed. None: nobody has stated it, which is not 0."""

    input_tokens: int | None = None
    """Everything that was read, cached parts included."""
    output_tokens: int | None = None
    """Everything that was written, reasoning included."""
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens: int | None = None
    estimated: bool = False
    """Counted by the gateway, not reported by the provider."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one upstream, or the reason why there was none."""

    upstream: str
    model: str
    reason: str
    """Why it ended: `status 503`, `completed`."""
    chosen_because: str
    skipped: bool
    """Nothing was sent; `reason` says why it was passed over."""
    code: str
    status: int
    reused_connection: bool
    started_ns: int
    waited_ns: int
    queued_ns: int
    resolve_ns: int
    connect_ns: int
    first_byte_ns: int
    total_ns: int
    sends: int
    bytes_sent: int
    bytes_received: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one plugin said in one hook."""

    plugin: str
    hook: str
    verdict: str
    message: str
    code: str
    observed: bool
    failed_open: bool
    took_ns: int


@dataclass(frozen=True, slots=True)
class Loss:
    """One field that could not be carried to the upstream as it was."""

    field: str
    reason: str
    severity: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: its account, with the ledger of its attempts. Times are in nanoseconds, unless they say otherwise."""

    ending: Ending
    status: int
    code: str
    streamed: bool
    id: str
    error_message: str
    consumer: str
    tenant: str
    route: str
    requested_model: str
    served_model: str
    dialect: str
    operation: str
    finish_reason: str
    model_note: str
    mode: str
    usage: Usage
    started_at_ms: int
    first_delta_ns: int
    total_ns: int
    receive_ns: int
    plugins_ns: int
    queued_ns: int
    waited_ns: int
    upstream_ns: int
    deltas: int
    bytes_in: int
    bytes_out: int
    attempts: tuple[Attempt, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    losses: tuple[Loss, ...] = ()


def outcome_of(native: _native.Outcome | None) -> Outcome | None:
    """The account as an object, read once."""
    if native is None:
        return None
    info = native.info()
    info["ending"] = Ending(info["ending"])
    info["usage"] = Usage(*info["usage"])
    attempts = []
    for attempt in native.attempts():
        attempt["usage"] = Usage(*attempt["usage"])
        attempts.append(Attempt(**attempt))
    return Outcome(
        **info,
        attempts=tuple(attempts),
        verdicts=tuple(Verdict(**verdict) for verdict in native.verdicts()),
        losses=tuple(Loss(**loss) for loss in native.losses()),
    )


_Default = TypeVar("_Default")


class Headers:
    """The header fields of an answer, in the order they came; names are compared without case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)

    def get(self, name: str, default: _Default | None = None) -> str | _Default | None:
        """The first value of a field."""
        wanted = name.lower()
        return next((value for field, value in self._fields if field.lower() == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """Every value of a field."""
        wanted = name.lower()
        return [value for field, value in self._fields if field.lower() == wanted]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def items(self) -> tuple[tuple[str, str], ...]:
        """All fields, those that stand there twice, twice."""
        return self._fields

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


def headers_of(fields: list[tuple[bytes, bytes]]) -> Headers:
    """Fields as text: octets that are no ASCII stand for themselves (RFC 9110, 5.5)."""
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)


class Response:
    """A whole answer."""

    status: int
    headers: Headers
    content: bytes

    def __init__(self, status: int, headers: Headers, content: bytes, end: End) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self._end = end

    @property
    def ok(self) -> bool:
        """A status below 400, and nothing missing."""
        return self.status < 400 and not self._end.number

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    @cached_property
    def outcome(self) -> Outcome | None:
        """What became of the call; None where there was no memory for it."""
        return outcome_of(self._end.outcome)

    @property
    def error(self) -> errors.Error | None:
        """Why this is not the answer that was asked for; None where it is."""
        return None if self.ok else error_of(self._end, self)

    def raise_for_status(self) -> Response:
        """Raises `error` where there is one, and gives the response otherwise."""
        error = self.error
        if error is not None:
            raise error
        return self

    def __repr__(self) -> str:
        return f"<sluice.Response {self.status}, {len(self.content)} bytes>"


def _retry_after(headers: Headers) -> float | None:
    """Seconds, from the field that says milliseconds or from the one that says seconds; a date is not counted."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None


def error_of(end: End, response: Response | None) -> errors.Error:
    """What a call's end and answer say, as an exception."""
    # An upstream's own error answer that came whole is a completed call: then its status is all there is to say.
    number = end.number or 66
    status = end.status or (response.status if response else 0)
    message = end.message or f"the upstream answered with status {status}"
    origin = errors.origin_of(number)
    return errors.class_of(number, origin)(
        message,
        code=_native.code_name(number),
        number=number,
        origin=origin,
        status=status or None,
        retry_after=_retry_after(response.headers) if response else None,
        response=response,
    )
