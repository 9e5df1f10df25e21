"""How configurations and requests are stated: what a program writes, as what the native module takes. Sends nothing."""

from __future__ import annotations

import json as jsons
import os
from collections.abc import Iterable, Mapping
from typing import Any

from sluice import _native

Config = Mapping[str, Any] | str | os.PathLike[str]
"""A configuration: as a mapping, as the path of a file, or as JSON text, which begins with a brace."""
HeaderList = Mapping[str, str] | Iterable[tuple[str, str]]
Fields = list[tuple[bytes, bytes]]
Asked = tuple[str | None, str, Fields, bytes | None, str | None, int, int, int]
"""Method, target, fields, body, consumer, deadline in ms, credit, how the answer comes."""
RAW, DELTAS = 0, 1


def stated(config: Config) -> tuple[bytes | None, str | None]:
    """A configuration as JSON, or as the path of a file."""
    if isinstance(config, Mapping):
        return jsons.dumps(dict(config)).encode(), None
    if isinstance(config, str) and config.lstrip().startswith("{"):
        return config.encode(), None
    return None, os.fsdecode(config)


def fields_in(headers: HeaderList | None) -> Fields:
    """Header fields as octets."""
    if not headers:
        return []
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def check(config: Config) -> None:
    """Judges a configuration without opening anything: no secret is read. Raises `ConfigurationError` with every mistake."""
    text, path = stated(config)
    if path is not None:
        with open(path, "rb") as file:
            text = file.read()
    assert text is not None
    _native.config_check(text)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration."""
    schema: dict[str, Any] = jsons.loads(_native.config_schema())
    return schema


def asked(
    target: str,
    json: object,
    body: bytes | str | None,
    method: str | None,
    headers: HeaderList | None,
    consumer: str | None,
    deadline: float | None,
    credit: int = 0,
    answer: int = RAW,
) -> Asked:
    """A request as the native module takes it."""
    if json is not None:
        if body is not None:
            raise TypeError("a request has a body or json, not both")
        body = jsons.dumps(json, ensure_ascii=False, separators=(",", ":"))
    if isinstance(body, str):
        body = body.encode()
    deadline_ms = 0 if deadline is None else max(1, round(deadline * 1000))
    return method, target, fields_in(headers), body, consumer, deadline_ms, credit, answer
