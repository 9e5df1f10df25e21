"""What call-outs do to those who make none: streams pass while 1,000 other exchanges are open, each of which asks a guard
that thinks for 50 ms before it is forwarded. Compared with the same exchanges asking nobody: what differs is the call-outs.
Run by callouts.sh."""

import argparse
import os
import shutil
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from devices import start_sluice  # noqa: E402
from loads import Loads, Mock  # noqa: E402
from report import Report, say  # noqa: E402

EXCHANGES = 1_000
STREAMS, GAP_US = 100, 25_000
GUARD_US = 50_000
# Together with the guard's 50 ms this keeps 2,000 exchanges a second coming: what the device can take without being full.
ANSWER_US = 450_000
ASKING, SILENT = "bench-8", "bench-9"


def start_guarded(programs, directory, mock):
    """As in the comparison, but that the ninth route asks a guard, at the mock's own address."""
    guard = {"name": "guard", "http_guard": {"upstream": "guard", "path": "/guard", "refuse_if": {"pointer": "/refuse", "equals": True}}}
    return start_sluice(programs, directory, mock.port, True, name="guarded", route_extras={8: {"plugins": [guard]}},
                        more_upstreams=[{"name": "guard", "provider": "openai-compatible", "url": f"http://127.0.0.1:{mock.port}"}])


def beside(loads, device, model):
    """The streams' delays while the exchanges of `model` are open; how many of them were, and how many a second ended."""
    if model is None:
        return streams(loads, device), 0
    ended = []
    delay = ANSWER_US + (GUARD_US if model == SILENT else 0)
    crowd = threading.Thread(target=lambda: ended.append(loads.chats(device.port, EXCHANGES, delay_us=delay, model=model)))
    crowd.start()
    try:
        return streams(loads, device), ended
    finally:
        crowd.join()


def streams(loads, device):
    events = int((loads.seconds + loads.warm_up + 2) * 1e6 / GAP_US)
    return loads.streams(device.port, STREAMS, events, GAP_US)["delay_us"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where the build put sluiced and the bench_ programs")
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 7")
    parser.add_argument("--gate", action="store_true", help="exit 1 where the bar is missed")
    options = parser.parse_args()
    programs = {name: os.path.join(options.programs, path) for name, path in {
        "sluiced": "sluiced/sluiced", "bench_mock": "benchmarks/bench_mock", "bench_streams": "benchmarks/bench_streams"}.items()}
    rounds = 3 if options.quick else 7
    directory = tempfile.mkdtemp(prefix="sluice-bench-")
    columns = {"alone": None, "beside": SILENT, "call-outs": ASKING}
    report = Report(list(columns), ours="call-outs", theirs="beside")
    mock = Mock(programs, directory)
    device = start_guarded(programs, directory, mock)
    try:
        loads = Loads(programs, directory, mock, seconds=3, warm_up=1)
        moved = []
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            p99 = {}
            for column, model in columns.items():
                delay, ended = beside(loads, device, model)
                for quantile in ("p50", "p99"):
                    report.add(f"delta_delay_us_{quantile}", column, delay[quantile])
                if ended:
                    report.add("exchanges_per_second", column, ended[0]["requests"] / ended[0]["seconds"])
                    report.add("exchange_us_p50", column, ended[0]["p50"])
                p99[column] = delay["p99"]
            moved.append(p99["call-outs"] - p99["beside"])
    finally:
        device.stop()
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    moved.sort()
    report.bar("us by which the call-outs of others move a stream's p99", moved[len(moved) // 2], 1_000)
    kept = report.write(rounds=rounds)
    return 0 if kept or not options.gate else 1


if __name__ == "__main__":
    sys.exit(main())
