"""`python -m sluice`: serves a configuration, or says what there is to say about one."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from typing import Any

import sluice


def _serve(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    ending, again = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: again.set() or ending.set())  # type: ignore[func-returns-value]
    with sluice.Gateway(arguments.config) as gateway, gateway.serve() as server:
        for address in server.addresses:
            print(f"listening on http://{address}", flush=True)
        while True:
            ending.wait()
            if not again.is_set():
                break
            again.clear()
            ending.clear()
            try:
                gateway.reload(arguments.config)
            except sluice.Error as error:
                logging.getLogger("sluice").error("the configuration stays as it was: %s", error)
        server.drain(arguments.drain)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    sluice.check(arguments.config)
    print("ok; secrets were not read")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    with open(arguments.request, encoding="utf-8") as file:
        asked: dict[str, Any] = json.load(file)
    body = asked.get("body")
    stated = {"body": body} if isinstance(body, str) else {"json": body}
    with sluice.Gateway(arguments.config, threads=0, logger=None) as gateway:
        explanation = gateway.explain(
            asked["target"], method=asked.get("method"), headers=asked.get("headers"), consumer=asked.get("consumer"), **stated
        )
    print(json.dumps(explanation.details, indent=2) if arguments.json else explanation.text.rstrip("\n"))
    return 0


def main() -> int:
    """Runs what the command line says."""
    parser = argparse.ArgumentParser("python -m sluice", description=__doc__)
    parser.add_argument("--version", action="version", version=f"sluice {sluice.__version__}")
    commands = parser.add_subparsers(required=True, metavar="serve|check|explain")
    serve = commands.add_parser("serve", help="serve a configuration until SIGINT or SIGTERM; SIGHUP reloads it")
    serve.add_argument("config")
    serve.add_argument("--drain", type=float, default=30, metavar="SECONDS", help="how long what runs may go on at the end (default: 30)")
    serve.set_defaults(run=_serve)
    check = commands.add_parser("check", help="every mistake of a configuration; nothing is opened, no secret is read")
    check.add_argument("config")
    check.set_defaults(run=_check)
    explain = commands.add_parser("explain", help="which route and upstream a request would take, and why; nothing is sent")
    explain.add_argument("config")
    explain.add_argument("request", help='a JSON file: {"target": "/v1/...", "headers": {...}, "body": {...}, "consumer": "app"}')
    explain.add_argument("--json", action="store_true", help="for a program")
    explain.set_defaults(run=_explain)
    arguments = parser.parse_args()
    try:
        return int(arguments.run(arguments))
    except sluice.Error as error:
        print(f"sluice: {error.message}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
