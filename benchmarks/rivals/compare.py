"""sluice's bindings beside the embedded gateways a program could have instead, in one run against one mock. Run by run.sh, which
builds and installs what it needs.

Knows who is compared, in which order, and how rounds become figures. Must not know how a gateway is called: drive.py and the
programs under go/ and bifrost/ do."""

import argparse
import json
import os
import platform
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rig"))
import machine  # noqa: E402
from drive import WHOLE, streamed  # noqa: E402
from loads import Mock, chat_body  # noqa: E402
from report import say  # noqa: E402

CHATS, STREAMS = 64, 16  # at once

# (figure, what one of it is, unit of CPU, nanoseconds in that unit, its rows: the gateway, and what it is told to do).
# The first row of a figure is what the others are divided by.
FIGURES = [
    ("Python, 64 threads", "exchange", "us", 1e3, [("sluice-python", "chat"), ("litellm", "chat"), ("tensorzero", "chat")]),
    ("Python, 64 tasks of asyncio", "exchange", "us", 1e3, [("sluice-python", "achat"), ("litellm", "achat"), ("tensorzero", "achat")]),
    ("Python, 16 streams of asyncio", "delta", "ns", 1, [("sluice-python", "astream"), ("litellm", "astream"), ("tensorzero", "astream")]),
    ("Go, 64 goroutines", "exchange", "us", 1e3, [("sluice-go", "chat"), ("bifrost", "chat")]),
    ("Go, 16 streams", "delta", "ns", 1, [("sluice-go", "stream"), ("bifrost", "stream")]),
]


class Driver:
    """A gateway's program, alone on the device's core, idle unless it is told something."""

    def __init__(self, name, command, directory):
        quiet = {"NO_PROXY": "*", "no_proxy": "*", "PYTHONDONTWRITEBYTECODE": "1", "RUST_LOG": "error", "DO_NOT_TRACK": "1"}
        self.name = name
        self._process = machine.Process(name, command, machine.DEVICE_CORE, directory, quiet, piped=True)
        try:
            self.version = json.loads(self._process.read_line())["version"]
        except BaseException:
            self.stop()
            raise

    def run(self, do, seconds):
        self._process.write_line(json.dumps({"do": do, "at_once": STREAMS if do.endswith("stream") else CHATS, "cpu_seconds": seconds}))
        return json.loads(self._process.read_line())

    def stop(self):
        self._process.stop()


def measured(driver, mock, do, seconds):
    """One round of one row. What the driver says it was given is what the mock gave, or it is not said."""
    before = mock.stats()
    ran = driver.run(do, seconds)
    after = mock.stats()
    answers, events = after["answers"] - before["answers"], after["events"] - before["events"]
    if answers != ran["calls"] or (do.endswith("stream") and events != ran["count"]):
        raise RuntimeError(f"{driver.name} tells of {ran['calls']} answers and {ran['count']} in them, the mock of {answers} and {events}")
    return {"cpu_ns": ran["cpu_ns"] / ran["count"], "per_second": ran["count"] / ran["wall_ns"] * 1e9, "count": ran["count"],
            "connections": after["connections"] - before["connections"] - 1}  # one was the question itself


class Comparison:
    """The gateways that are there, the rounds they have run, and those that cannot be compared, each with its reason."""

    def __init__(self, skipped):
        self.drivers, self.skipped, self.rounds = {}, dict(skipped), {}

    def start(self, name, command, directory):
        try:
            self.drivers[name] = Driver(name, command, directory)
        except (RuntimeError, ValueError, KeyError) as error:
            self.skip(name, error)

    def skip(self, name, reason):
        if name.startswith("sluice"):
            raise RuntimeError(f"{name}: {reason}")
        self.skipped[name] = str(reason).strip().splitlines()[-1]
        say(f"{name} is left out: {self.skipped[name]}")
        if driver := self.drivers.pop(name, None):
            driver.stop()

    def round(self, mock, seconds, keep):
        """Every row of every figure once. Without `keep` it only warms up."""
        for figure, _, _, _, rows in FIGURES:
            for name, do in rows:
                if name not in self.drivers:
                    continue
                try:
                    sample = measured(self.drivers[name], mock, do, seconds)
                except (RuntimeError, ValueError, OSError) as error:
                    self.skip(name, error)
                    continue
                if keep:
                    self.rounds.setdefault(figure, {}).setdefault(name, []).append(sample)

    def figures(self):
        """Medians over rounds; the ratio is the median of the rounds' own, since what drifts drifts for all."""
        out = {}
        for figure, one, unit, divisor, rows in FIGURES:
            first = self.rounds.get(figure, {}).get(rows[0][0])
            for name, _ in rows:
                samples = self.rounds.get(figure, {}).get(name)
                if not samples or name not in self.drivers:
                    continue
                middle = {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}
                out.setdefault(figure, {})[name] = {
                    f"cpu_{unit}_per_{one}": round(middle["cpu_ns"] / divisor, 1),
                    "ratio": round(statistics.median(a["cpu_ns"] / b["cpu_ns"] for a, b in zip(samples, first)), 2) if first else None,
                    "per_second": round(middle["per_second"]), "count": round(middle["count"]), "connections": round(middle["connections"]),
                }
        return out

    def stop(self):
        for driver in self.drivers.values():
            driver.stop()


def commands(options, mock_port, bodies, events):
    """The gateways that run.sh has prepared, and how each is started."""
    drive, port = os.path.join(HERE, "drive.py"), str(mock_port)
    found = {"sluice-python": [options.python, drive, "sluice", port, str(events)]}
    for rival in ("litellm", "tensorzero"):
        found[rival] = [options.python, drive, rival, port, str(events)]
    for program in ("sluice-go", "bifrost"):
        found[program] = [os.path.join(options.programs, program), port, *bodies, str(events)]
    return found


def write(comparison, about):
    line = lambda *cells: print("".join(cells).rstrip(), file=sys.stderr)
    line(f"command: {about['command']}")
    line("; ".join([f"{about['rounds']} rounds of {about['cpu_seconds']:g} s of CPU a row, {about['events']} deltas a stream", about["library"], about["runtimes"], *([about["note"]] if about["note"] else [])]))
    figures = comparison.figures()
    for figure, one, unit, _, rows in FIGURES:
        line()
        line(figure.ljust(34), f"CPU {unit} per {one}".rjust(22), "x sluice".rjust(10), "per second".rjust(12), "connections".rjust(13))
        for name, _ in rows:
            shown = f"  {name} {comparison.drivers[name].version}" if name in comparison.drivers else f"  {name}"
            row = figures.get(figure, {}).get(name)
            if row is None:
                line(shown.ljust(34), f"  not measured: {comparison.skipped.get(name, 'left out')}")
                continue
            line(shown.ljust(34), f"{row[f'cpu_{unit}_per_{one}']:,.1f}".rjust(22), (f"{row['ratio']:.2f}" if row["ratio"] else "-").rjust(10), f"{row['per_second']:,}".rjust(12),
                 f"{row['connections']:,}".rjust(13))
    versions = {name: driver.version for name, driver in comparison.drivers.items()}
    print(json.dumps({**about, "versions": versions, "skipped": comparison.skipped, "figures": figures}, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mock", required=True, help="the program bench_mock")
    parser.add_argument("--python", required=True, help="an interpreter that has sluice-gateway, and the rivals that could be had")
    parser.add_argument("--programs", required=True, help="where the Go programs are")
    parser.add_argument("--note", help="what else is to be known of this run: how the library was built, what else ran")
    parser.add_argument("--library", default="libsluice_c.so", help="what to say of the library that is measured")
    parser.add_argument("--skipped", help="a folder: a file for each gateway that could not be had, with the reason in it")
    parser.add_argument("--command", help="what to say was typed")
    parser.add_argument("--quick", action="store_true", help="0.2 s of CPU for each row of a round and streams of 200 deltas, instead of 2 s and 400")
    parser.add_argument("--gateways", help="a selection, by comma; sluice's own are always there")
    parser.add_argument("--priority", type=int, default=machine.PRIORITY, help=f"a nice value for all programs (default: {machine.PRIORITY})")
    options = parser.parse_args()

    machine.PRIORITY = options.priority
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is ended, and what was seen is told
    rounds, seconds, events = (5, 0.2, 200) if options.quick else (5, 2.0, 400)
    skipped = {}
    for name in sorted(os.listdir(options.skipped)) if options.skipped else ():
        with open(os.path.join(options.skipped, name)) as file:
            skipped[name] = file.read().strip()
    directory = tempfile.mkdtemp(prefix="sluice-rivals-")
    comparison, mock = Comparison(skipped), Mock({"bench_mock": options.mock}, directory)
    try:
        bodies = []
        for name, stream, wish in (("whole", False, WHOLE), ("streamed", True, streamed(events))):
            bodies.append(os.path.join(directory, f"{name}.json"))
            with open(bodies[-1], "w") as file:
                file.write(chat_body(stream, wish))
        for name, command in commands(options, mock.port, bodies, events).items():
            wanted = not options.gateways or name in options.gateways.split(",") or name.startswith("sluice")
            if wanted and name not in skipped:
                comparison.start(name, command, directory)
        say("warm-up")
        comparison.round(mock, seconds / 4, keep=False)
        done = 0
        try:
            for done in range(rounds):
                say(f"round {done + 1} of {rounds}")
                comparison.round(mock, seconds, keep=True)
            done = rounds
        except KeyboardInterrupt:
            if done == 0:
                raise
            say(f"ended in round {done + 1}: what {done} rounds have seen")
        go = subprocess.run(["go", "version"], capture_output=True, text=True).stdout.split() if shutil.which("go") else []
        write(comparison, {"command": options.command or shlex.join(sys.argv), "rounds": done, "cpu_seconds": seconds, "chats_at_once": CHATS, "streams_at_once": STREAMS,
                           "events": events, "library": options.library, "note": options.note,
                           "runtimes": f"{platform.python_implementation()} {platform.python_version()}{', ' + go[2] if len(go) > 2 else ''}"})
    finally:
        comparison.stop()
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
