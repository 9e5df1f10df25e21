"""The floor: CPU of bare libcurl transfers by number in flight, and of a bare libcurl proxy beside nginx. Run by run.sh,
which builds and installs what it needs."""

import argparse
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from devices import Fleet  # noqa: E402
from loads import Loads, Mock, chat_body  # noqa: E402
from machine import DEVICE_CORE, Process  # noqa: E402
from report import Report, say  # noqa: E402

# In flight on one CURLM: its connection cache is scanned for each transfer, so the cost grows.
IN_FLIGHT = (16, 64, 256, 1024)


def transfers(programs, directory, mock, in_flight, seconds):
    body = os.path.join(directory, "body.json")
    with open(body, "w") as file:
        file.write(chat_body(False, "delay_us=0"))
    process = Process("client", [programs["bench_client"], "--url", f"http://127.0.0.1:{mock.port}/v1/chat/completions", "--body", body,
                                 "--in-flight", str(in_flight), "--seconds", str(seconds)], DEVICE_CORE, directory)
    try:
        return json.loads(process.finish())
    finally:
        process.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where the build put the bench_ programs")
    parser.add_argument("--quick", action="store_true", help="3 short rounds instead of 7")
    options = parser.parse_args()
    programs = {name: os.path.join(options.programs, "benchmarks", name) for name in ("bench_mock", "bench_client", "bench_bare_proxy")}
    rounds, seconds = (3, 1.2) if options.quick else (7, 2.2)
    directory = tempfile.mkdtemp(prefix="sluice-floor-")
    report = Report(["bare", "nginx"], ours="bare")
    mock = Mock(programs, directory)
    try:
        loads = Loads(programs, directory, mock, seconds, warm_up=0.5)
        with Fleet(["bare", "nginx"], programs, directory, mock.port) as fleet:
            for number in range(rounds):
                say(f"round {number + 1} of {rounds}")
                for in_flight in IN_FLIGHT:
                    run = transfers(programs, directory, mock, in_flight, seconds)
                    report.add(f"client_cpu_us_per_transfer_{in_flight}", "bare", run["cpu_us"])
                    report.add(f"client_user_us_per_transfer_{in_flight}", "bare", run["user_us"])
                for name, device in fleet.items():
                    for connections in (64, 256):
                        run = loads.chats(device.port, connections, device)
                        report.add(f"proxy_cpu_us_per_request_{connections}", name, run["cpu_us"])
    finally:
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    report.write(rounds=rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
