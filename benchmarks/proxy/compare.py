"""sluiced against nginx, HAProxy and the bare libcurl proxy: what a request, a delta, a first delta and an open stream
cost. Run by run.sh, which builds and installs what it needs."""

import argparse
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from devices import STARTERS, Fleet, TlsFront, start_sluice  # noqa: E402
from loads import Loads, Mock  # noqa: E402
from report import Report, say  # noqa: E402

# Connections -> the mock's delay in us. At 2,000 it is what keeps all of them in flight.
REQUEST_LOADS = {64: 0, 256: 0, 2000: 200_000}
# 10,000 deltas a second.
STREAMS, GAP_US = 250, 25_000
OPEN_STREAMS = 5_000


def measure_requests(report, loads, fleet, mock, rounds):
    for number in range(rounds):
        say(f"requests, round {number + 1} of {rounds}")
        direct = {connections: loads.chats(mock.port, connections) for connections in (1, 64)}
        for name, device in fleet.items():
            for connections, delay_us in REQUEST_LOADS.items():
                run = loads.chats(device.port, connections, device, delay_us)
                report.add(f"cpu_us_per_request_{connections}", name, run["cpu_us"])
                if connections == 2000:
                    report.add("peak_in_flight_2000", name, run["in_flight"])
                if connections == 64:
                    report.add("requests_per_second_64", name, run["per_second"])
                    for quantile in ("p50", "p99"):
                        report.add(f"added_us_{quantile}_64", name, run[quantile] - direct[64][quantile])
            alone = loads.chats(device.port, 1, device)
            for quantile in ("p50", "p99"):
                report.add(f"added_us_{quantile}_1", name, alone[quantile] - direct[1][quantile])


def measure_streams(report, loads, fleet, mock, rounds):
    # Longer than the window by far: the window sees deltas, no heads and no ends.
    events = int((loads.seconds + loads.warm_up + 2) * 1e6 / GAP_US)
    for number in range(rounds):
        say(f"streams, round {number + 1} of {rounds}")
        direct = loads.streams(mock.port, STREAMS, events, GAP_US)
        direct_short = loads.streams(mock.port, 10, 20, 5_000)
        for name, device in fleet.items():
            run = loads.streams(device.port, STREAMS, events, GAP_US, device)
            report.add("cpu_us_per_delta", name, run["cpu_us"])
            for quantile in ("p50", "p99"):
                report.add(f"delta_added_us_{quantile}", name, run["delay_us"][quantile] - direct["delay_us"][quantile])
            short = loads.streams(device.port, 10, 20, 5_000)
            for quantile in ("p50", "p99"):
                report.add(f"first_delta_added_us_{quantile}", name, short["ttfd_us"][quantile] - direct_short["ttfd_us"][quantile])


def measure_memory(report, loads, names, programs, directory, mock):
    say(f"{OPEN_STREAMS} open streams")
    for name in names:
        with Fleet([name], programs, directory, mock.port, streaming=True) as fleet:
            report.add("idle_resident_bytes", name, fleet[name].process.resident_bytes())
            report.add("bytes_per_open_stream", name, loads.held_streams(fleet[name], OPEN_STREAMS))
    if "sluice" not in names:
        return
    say(f"{OPEN_STREAMS} open streams over TLS")
    with TlsFront(directory, mock.port) as front:
        device = start_sluice(programs, directory, front.port, True, front.certificate)
        try:
            report.add("bytes_per_open_stream_tls", "sluice", loads.held_streams(device, OPEN_STREAMS))
        finally:
            device.stop()


def judge(report):
    report.bar("CPU per request at 64 connections, ratio to nginx", report.ratio("cpu_us_per_request_64"), 2.4)
    ours, bare = (report.median("cpu_us_per_request_64", name) for name in ("sluice", "bare"))
    report.bar("CPU us per request above the bare proxy", ours - bare if ours and bare else None, 6)
    report.bar("CPU per request with limits, log and event, ratio to nginx", report.ratio("cpu_us_per_request_64", "sluice-all"), 2.5)
    few, many = report.ratio("cpu_us_per_request_64"), report.ratio("cpu_us_per_request_2000")
    report.bar("ratio to nginx at 2,000 in flight against the one at 64", many / few if few and many else None, 1.25)
    report.bar("CPU per delta, ratio to nginx", report.ratio("cpu_us_per_delta"), 1.5)
    report.bar("us added to the first delta, p50", report.median("first_delta_added_us_p50", "sluice"), 150)
    report.bar("bytes per open stream", report.median("bytes_per_open_stream", "sluice"), 40 * 1024)
    report.bar("bytes per open stream, TLS towards the upstream", report.median("bytes_per_open_stream_tls", "sluice"), 85 * 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where the build put sluiced and the bench_ programs")
    parser.add_argument("--quick", action="store_true", help="3 short rounds instead of 7")
    parser.add_argument("--devices", default=",".join(STARTERS), help="a selection of them, by comma")
    parser.add_argument("--only", default="requests,streams,memory", help="a selection of the parts, by comma")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a bar is missed")
    options = parser.parse_args()
    names, parts = options.devices.split(","), options.only.split(",")
    for name in names:
        if name not in STARTERS:
            parser.error(f"no device '{name}'; there are {', '.join(STARTERS)}")

    programs = {name: os.path.join(options.programs, path) for name, path in {
        "sluiced": "sluiced/sluiced", "bench_mock": "benchmarks/bench_mock", "bench_streams": "benchmarks/bench_streams",
        "bench_bare_proxy": "benchmarks/bench_bare_proxy"}.items()}
    rounds = 3 if options.quick else 7
    directory = tempfile.mkdtemp(prefix="sluice-bench-")
    report = Report(names)
    mock = Mock(programs, directory)
    try:
        loads = Loads(programs, directory, mock, seconds=1.2 if options.quick else 2.2, warm_up=0.5)
        if "requests" in parts:
            with Fleet(names, programs, directory, mock.port) as fleet:
                measure_requests(report, loads, fleet, mock, rounds)
        if "streams" in parts:
            with Fleet(names, programs, directory, mock.port, streaming=True) as fleet:
                measure_streams(report, loads, fleet, mock, rounds)
        if "memory" in parts:
            measure_memory(report, loads, names, programs, directory, mock)
    finally:
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    judge(report)
    kept = report.write(rounds=rounds)
    return 0 if kept or not options.gate else 1


if __name__ == "__main__":
    sys.exit(main())
