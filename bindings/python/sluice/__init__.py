"""An AI gateway in your process: requests in any dialect it knows, to the upstream that fits, with failover, accounts and plugins.

    with sluice.Gateway("gateway.json") as gateway:
        answer = gateway.request("/v1/chat/completions", json={"model": "smart", "messages": [...]}, consumer="app")
        for delta in gateway.stream("/v1/chat/completions", json={..., "stream": True}, consumer="app"):
            print(delta.text, end="")

`sluice.httpx` and `sluice.httpx2` carry the clients of providers through a gateway without a socket; `sluice.testing` tries a
configuration in simulated time.
"""

from sluice import _native
from sluice.answer import Attempt, Channel, Chunk, Delta, Ending, Head, Headers, Loss, Outcome, Response, Usage, Verdict
from sluice.errors import (
    CancelledError,
    ClosedError,
    ConfigurationError,
    DeadlockError,
    Error,
    ForkedError,
    GatewayError,
    Origin,
    PluginError,
    RequestError,
    UpstreamError,
)
from sluice.gateway import Explanation, Gateway, Statistics
from sluice.plugin import Edit, Exchange, Fail, Phase, Plugin, Reply, Ruling
from sluice.request import check, config_schema
from sluice.server import Server
from sluice.stream import Stream

__version__: str = _native.version()
"""The version of the library this module runs on."""

__all__ = [
    "Attempt",
    "CancelledError",
    "Channel",
    "Chunk",
    "ClosedError",
    "ConfigurationError",
    "DeadlockError",
    "Delta",
    "Edit",
    "Ending",
    "Error",
    "Exchange",
    "Explanation",
    "Fail",
    "ForkedError",
    "Gateway",
    "GatewayError",
    "Head",
    "Headers",
    "Loss",
    "Origin",
    "Outcome",
    "Phase",
    "Plugin",
    "PluginError",
    "Reply",
    "RequestError",
    "Response",
    "Ruling",
    "Server",
    "Statistics",
    "Stream",
    "UpstreamError",
    "Usage",
    "Verdict",
    "check",
    "config_schema",
]
