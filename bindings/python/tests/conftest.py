"""What the tests share: configurations whose upstreams answer by themselves, and gateways that are closed behind each test."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sluice

CHAT = "/v1/chat/completions"
KEY = "sk-test-4d5e"
SLOW = "One word after the other, and no end in sight. " * 10  # 2.4 seconds
PATIENCE = 60.0  # seconds for anything to come about


def hello(model: str = "smart", **more: Any) -> dict[str, Any]:
    """A request for a chat."""
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}


def simulator(name: str, **script: Any) -> dict[str, Any]:
    """An upstream that needs no network."""
    return {"name": name, "provider": "simulator", "simulator": script}


def route(name: str, model: str, *upstreams: str, **more: Any) -> dict[str, Any]:
    """A route by the model's name, over every path."""
    return {"name": name, "match": {"model": [model]}, "upstreams": [{"name": upstream} for upstream in upstreams], **more}


def configuration(**gateway: Any) -> dict[str, Any]:
    """Upstreams for most tests: one that is quick, one that takes its time, one that is long, and one that is down."""
    return {
        "version": 1,
        "gateway": {"name": "tests", "threads": 2, **gateway},
        "upstreams": [
            simulator("quick", answer="Hello there, stranger."),
            simulator("slow", answer=SLOW, tokens_per_second=50),
            simulator("long", answer="All work and no play makes Jack a dull boy. " * 40000),
            simulator("umlauts", answer="Grüße aus Köln 🌍 " * 30000),
            simulator("never", answer="Too late.", first_token_ms=3600000),
            simulator("down", status=503),
        ],
        "routes": [
            route("slow", "slow", "slow"),
            route("long", "long", "long"),
            route("umlauts", "umlauts", "umlauts"),
            route("never", "never", "never"),
            route("down", "down", "down", retry={"attempts": 2, "backoff_ms": 0}),
            route("sturdy", "sturdy", "down", "quick"),
            route("quick", "smart", "quick"),
            {"name": "embeddings", "match": {"path": "/v1/embeddings"}, "upstreams": [{"name": "quick"}]},
            {"name": "messages", "match": {"path": "/v1/messages"}, "upstreams": [{"name": "quick"}]},
        ],
    }


def with_consumers(document: dict[str, Any]) -> dict[str, Any]:
    """The same for callers with a name."""
    return {**document, "consumers": [{"name": "app", "keys": [{"sha256": hashlib.sha256(KEY.encode()).hexdigest()}]}]}


Opens = Callable[..., sluice.Gateway]


@pytest.fixture
def opens() -> Iterator[Opens]:
    """Opens gateways and closes them behind the test."""
    opened: list[sluice.Gateway] = []

    def open_one(document: Any = None, **options: Any) -> sluice.Gateway:
        opened.append(sluice.Gateway(document if document is not None else configuration(), **options))
        return opened[-1]

    yield open_one
    for gateway in opened:
        gateway.close()


@pytest.fixture
def gateway(opens: Opens) -> sluice.Gateway:
    """A gateway on the configuration of most tests."""
    return opens()


def becomes(condition: Callable[[], bool]) -> bool:
    """Waits for what another thread brings about: a counter has no descriptor to wait for."""
    from threading import Event

    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        Event().wait(0.005)
    return True


def run_python(program: str, *arguments: str, timeout: float = PATIENCE, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A program in an interpreter of its own."""
    command = [sys.executable, "-X", "dev", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})})
