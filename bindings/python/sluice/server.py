"""The listener of a gateway. Knows nothing of what is served."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from sluice import _native

if TYPE_CHECKING:
    from typing import Self


class Server:
    """Serves a gateway over HTTP/1.1, on the gateway's own threads. It stops at once when the gateway closes. Thread: any."""

    def __init__(self, native: _native.Server) -> None:
        self._native = native
        self._addresses = tuple(native.addresses())

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses really bound, as `host:port`, in the order of the configuration."""
        return self._addresses

    def drain(self, deadline: float) -> None:
        """Stops to accept, lets what runs finish for up to `deadline` seconds, then ends it. Returns when all is closed."""
        self._native.drain(round(deadline * 1000))

    def close(self) -> None:
        """Stops at once: what is open is cancelled."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a server cannot be pickled: it has sockets of this process")
