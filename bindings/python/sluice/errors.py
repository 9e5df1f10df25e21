"""What goes wrong, who caused it, and what next. Knows nothing of calls: whoever has one puts its answer into `response`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.answer import Response


class Origin(enum.IntEnum):
    """Who caused a failure, which decides who must act."""

    CALLER = 0
    GATEWAY = 1
    PLUGIN = 2
    UPSTREAM = 3


class Error(Exception):
    """Anything that went wrong with a gateway or a call. The classes below say who must act."""

    code: str
    """What happened, by the name that stands in answers: `route_not_found`. docs/errors.md has each with its remedy."""
    number: int
    """The same as a number; those never change."""
    origin: Origin
    status: int | None
    """The HTTP status a wire caller gets, or got; None where none makes sense (a configuration)."""
    retry_after: float | None
    """Seconds until a retry makes sense; None where nothing is known of it."""
    message: str
    """One sentence for a person: what, who, what next."""
    param: str
    """The field or JSON Pointer that is wrong; empty where there is none."""
    response: Response | None
    """The answer, where one came before or instead."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        number: int = 105,
        origin: Origin = Origin.GATEWAY,
        status: int | None = None,
        retry_after: float | None = None,
        param: str = "",
        response: Response | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.number = number
        self.origin = origin
        self.status = status
        self.retry_after = retry_after
        self.param = param
        self.response = response

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class ConfigurationError(Error):
    """The configuration has mistakes, or what it refers to is not there. `message` lists every mistake, one a line."""


class RequestError(Error):
    """The caller must change something: the request, its key, or what the program asked of the gateway."""


class GatewayError(Error):
    """The gateway will not or cannot take it now."""


class PluginError(Error):
    """A plugin has failed."""


class UpstreamError(Error):
    """The upstream, or the way to it."""


class CancelledError(RequestError):
    """The call was cancelled. Not asyncio's: that one ends tasks."""


class ClosedError(GatewayError):
    """The gateway is closed."""


class ForkedError(RequestError):
    """The gateway was opened in a parent process: open it after the fork."""


class DeadlockError(RequestError):
    """What would wait was asked where waiting never ends."""


_BY_ORIGIN: dict[Origin, type[Error]] = {
    Origin.CALLER: RequestError,
    Origin.GATEWAY: GatewayError,
    Origin.PLUGIN: PluginError,
    Origin.UPSTREAM: UpstreamError,
}
_BY_NUMBER: dict[int, type[Error]] = {
    100: CancelledError,
    101: ClosedError,
    102: DeadlockError,
    103: ForkedError,
    120: ConfigurationError,
    121: ConfigurationError,
    122: ConfigurationError,
}
# Who causes what, for codes that come without it: the groups of the C header, which are append-only like the codes.
_GROUPS = ((40, Origin.CALLER), (60, Origin.GATEWAY), (80, Origin.UPSTREAM), (100, Origin.GATEWAY), (101, Origin.CALLER), (102, Origin.GATEWAY),
           (104, Origin.CALLER), (120, Origin.GATEWAY), (124, Origin.CALLER), (140, Origin.GATEWAY), (150, Origin.PLUGIN), (1 << 31, Origin.CALLER))


def origin_of(number: int) -> Origin:
    """Who causes failures of this code."""
    return next(origin for end, origin in _GROUPS if number < end)


def class_of(number: int, origin: Origin) -> type[Error]:
    """The class of failures of this code and origin."""
    return _BY_NUMBER.get(number) or _BY_ORIGIN[origin]


def make_error(code: str, number: int, origin: int, status: int, retry_after_ms: int, message: str, param: str) -> Error:
    """An error as the native module has it."""
    by = Origin(origin) if origin in _BY_ORIGIN else Origin.GATEWAY
    return class_of(number, by)(
        message,
        code=code,
        number=number,
        origin=by,
        status=status or None,
        retry_after=None if retry_after_ms < 0 else retry_after_ms / 1000,
        param=param,
    )
