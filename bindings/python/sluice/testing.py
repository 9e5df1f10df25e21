"""Testing your own configuration: upstreams that are scripted, time that passes when it is told, chance with a seed. No network, no
waiting; the same every time.

    sim = sluice.testing.Simulation(seed=7)
    sim.upstream("openai").fails(503, until=90)
    with sim.gateway("gateway.json") as gateway:
        outcome = gateway.request("/v1/chat/completions", json=hello).outcome
    assert [attempt.upstream for attempt in outcome.attempts] == ["openai", "claude"]

Whoever waits moves the time: `request` to the end of its call, a stream to its next event. In pytest the fixture
`sluice_simulation` gives a fresh one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice import _native
from sluice.gateway import Config, Gateway

if TYPE_CHECKING:
    from typing import Self

    from sluice.plugin import Plugin, Service

_STATUS, _ERROR_IN_STREAM, _CUT, _RESET, _STALL, _SLOW_HEAD, _GARBAGE, _HTML, _REFUSE, _HANG_UP = range(1, 11)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as an upstream saw it."""

    upstream: str
    method: str
    target: str
    body: bytes
    at: float
    """Seconds since the simulation's first moment."""


class Script:
    """What one upstream answers. The last word counts; a change holds for the requests that come after it. Each gives the script."""

    def __init__(self, simulation: _native.Simulation, upstream: str) -> None:
        self._simulation = simulation
        self._upstream = upstream

    def answers(self, text: str) -> Self:
        """This text, a word or a punctuation mark to a token."""
        self._simulation.answer(self._upstream, text)
        return self

    def generates(self, tokens: int) -> Self:
        """Made-up text of exactly so many tokens."""
        self._simulation.generate(self._upstream, tokens)
        return self

    def refuses(self, text: str) -> Self:
        """The model declines, in these words."""
        self._simulation.refuse(self._upstream, text)
        return self

    def calls_tool(self, name: str, arguments: str) -> Self:
        """A call of one tool. `arguments` is a JSON text."""
        self._simulation.call_tool(self._upstream, name, arguments)
        return self

    def body(self, data: bytes, content_type: str = "application/json") -> Self:
        """These very bytes, whatever was asked."""
        self._simulation.body(self._upstream, content_type, data)
        return self

    def stream(self, data: bytes) -> Self:
        """These very bytes for requests that stream."""
        self._simulation.stream(self._upstream, data)
        return self

    def usage(self, input_tokens: int, output_tokens: int) -> Self:
        """The usage that is stated, instead of the exact count."""
        self._simulation.usage(self._upstream, input_tokens, output_tokens)
        return self

    def header(self, name: str, value: str) -> Self:
        """A header field on every answer."""
        self._simulation.header(self._upstream, name, value)
        return self

    def pieces(self, size: int) -> Self:
        """The body leaves in pieces of so many bytes; 0: as it comes."""
        self._simulation.pieces(self._upstream, size)
        return self

    def pace(
        self, *, head: float = 0, first_token: float = 0, jitter: float = 0, ping: float = 0, tokens_per_second: float = 0
    ) -> Self:
        """How fast, in seconds from the arrival of a request: the head, the first content, up to so much more by chance, a comment
        in every silence this long. All 0: at once."""
        micro = [round(seconds * 1e6) for seconds in (head, first_token, jitter, ping)]
        self._simulation.pace(self._upstream, micro[0], micro[1], micro[2], micro[3], tokens_per_second)
        return self

    # What goes wrong, and which requests meet it: those that arrive from `start` to `until` seconds of the simulation's time, the
    # first `times` of them (0: all). Several may stand: the first that still applies is taken.

    def fails(self, status: int = 500, *, retry_after: float = 0, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """An error of this status, in the dialect's shape."""
        return self._fault(_STATUS, start, until, times, status=status, retry_after_ms=round(retry_after * 1000))

    def fails_in_stream(self, after_events: int = 1, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """200, so many events, then an error event."""
        return self._fault(_ERROR_IN_STREAM, start, until, times, after_events=after_events)

    def cuts(self, at_byte: int = 0, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """The connection ends at this byte of the body."""
        return self._fault(_CUT, start, until, times, at_byte=at_byte)

    def resets(self, at_byte: int = 0, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """The connection is reset at this byte of the body."""
        return self._fault(_RESET, start, until, times, at_byte=at_byte)

    def stalls(self, at_byte: int = 0, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """Nothing more comes after this byte of the body."""
        return self._fault(_STALL, start, until, times, at_byte=at_byte)

    def slow_head(self, step: float, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """The head comes one byte every `step` seconds."""
        return self._fault(_SLOW_HEAD, start, until, times, step_ms=round(step * 1000))

    def garbage(self, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """Bytes that are no HTTP answer."""
        return self._fault(_GARBAGE, start, until, times)

    def html(self, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """200 with a web page where JSON belongs."""
        return self._fault(_HTML, start, until, times)

    def refuses_connections(self, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """The connection is refused."""
        return self._fault(_REFUSE, start, until, times)

    def hangs_up(self, *, start: float = 0, until: float = 0, times: int = 0) -> Self:
        """The connection ends before the first byte of the head."""
        return self._fault(_HANG_UP, start, until, times)

    def recovers(self) -> Self:
        """Forgets all that goes wrong."""
        return self._fault(0, 0, 0, 0)

    def _fault(
        self,
        kind: int,
        start: float,
        until: float,
        times: int,
        *,
        status: int = 0,
        at_byte: int = 0,
        after_events: int = 0,
        step_ms: int = 0,
        retry_after_ms: int = 0,
    ) -> Self:
        span = round(start * 1e9), round(until * 1e9)
        self._simulation.fault(self._upstream, kind, status, at_byte, after_events, step_ms, retry_after_ms, span[0], span[1], times)
        return self


class Simulation:
    """Upstreams without a network, in time of their own. One serves one gateway at a time. Thread: one, or one asyncio loop."""

    def __init__(self, seed: int = 1) -> None:
        self.native = _native.new_simulation(seed)
        self.seed = seed
        self._gateway: _native.Gateway | None = None
        self._service: Service | None = None

    def gateway(self, config: Config, *, plugins: Sequence[Plugin] = ()) -> Gateway:
        """Opens a gateway whose network and time are this simulation's."""
        return Gateway(config, plugins=plugins, seed=self.seed, simulation=self)

    def attach(self, gateway: _native.Gateway, service: Service) -> None:
        """A gateway that was opened with this simulation says so."""
        self._gateway = gateway
        self._service = service

    def upstream(self, name: str) -> Script:
        """The script of the upstream of that name."""
        return Script(self.native, name)

    @property
    def now(self) -> float:
        """Seconds since the simulation's first moment."""
        return self.native.now() / 1e9

    def advance(self, seconds: float) -> None:
        """Lets exactly so much time pass, with all that falls due in it. What plugins are asked meanwhile is answered at its ends."""
        gateway = self._quiet()
        self.native.advance(gateway, round(seconds * 1e9))
        self._quiet()

    def step(self) -> bool:
        """Moves to the next moment at which anything happens. False where nothing is left."""
        happened = self.native.step(self._quiet())
        self._quiet()
        return happened

    def _quiet(self) -> _native.Gateway:
        """Does what is due now, plugins asked and answered."""
        if self._gateway is None or self._service is None:
            raise RuntimeError("no gateway was opened with this simulation yet")
        self.native.advance(self._gateway, 0)
        while self._service.pump():
            self.native.advance(self._gateway, 0)
        return self._gateway

    @property
    def seen(self) -> list[Seen]:
        """The requests that upstreams saw, in order."""
        return [Seen(upstream, method, target, body, at / 1e9) for upstream, method, target, body, at in self.native.seen()]

    def forget_seen(self) -> None:
        """Begins that list anew."""
        self.native.forget_seen()

    def __reduce__(self) -> Any:
        raise TypeError("a simulation cannot be pickled: give its seed and script it again")
