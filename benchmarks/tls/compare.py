"""What TLS costs the listener: a request over a connection that stays, against plain HTTP and against nginx; and a thousand
new connections a second beside streams. Run by run.sh, which builds and installs what it needs."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from devices import DEVICE_CORE, found, run_nginx, start_sluice  # noqa: E402
from loads import Loads, Mock  # noqa: E402
from machine import LOAD_CORE, Process  # noqa: E402
from report import Report, say  # noqa: E402

CONNECTIONS = 64
STREAMS, GAP_US = 100, 25_000
HANDSHAKES = 1_000  # a second


def make_certificate(directory):
    certificate, key = os.path.join(directory, "listen.pem"), os.path.join(directory, "listen.key")
    subprocess.run([found("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def start_both(programs, directory, mock_port, pair):
    """One gateway that listens twice: plain, then under TLS."""
    tls = {"certificates": [{"certificate": pair[0], "key": pair[1]}]}
    device = start_sluice(programs, directory, mock_port, False, name="sluice-tls", extras={
        "gateway": {"listen": [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": tls}]}})
    return device, device.process.read_port()


def measure_requests(report, loads, devices, rounds):
    """`devices`: name -> the plain one, the one under TLS, and the port of the latter."""
    for number in range(rounds):
        say(f"requests, round {number + 1} of {rounds}")
        for name, (plain, secure, port) in devices.items():
            plain_us = loads.chats(plain.port, CONNECTIONS, plain)["cpu_us"]
            tls_us = loads.chats(port, CONNECTIONS, secure, scheme="https")["cpu_us"]
            report.add("cpu_us_per_request_plain", name, plain_us)
            report.add("cpu_us_per_request_tls", name, tls_us)
            report.add("tls_over_plain", name, tls_us / plain_us)


def measure_handshakes(report, loads, programs, directory, sluice, tls_port, certificate, rounds):
    events = int((loads.seconds + loads.warm_up + 2) * 1e6 / GAP_US)
    for number in range(rounds):
        say(f"handshakes, round {number + 1} of {rounds}")
        alone = loads.streams(sluice.port, STREAMS, events, GAP_US, sluice)
        process = Process("handshakes", [programs["bench_handshakes"], "--port", str(tls_port), "--ca", certificate, "--rate", str(HANDSHAKES),
                                         "--seconds", str(loads.seconds + loads.warm_up + 1)], LOAD_CORE, directory)
        try:
            beside = loads.streams(sluice.port, STREAMS, events, GAP_US, sluice)
            shaken = json.loads(process.finish().strip().splitlines()[-1])
        finally:
            process.stop()
        if shaken["failures"]:
            raise RuntimeError(f"{shaken['failures']} of {shaken['handshakes']} handshakes went wrong")
        report.add("handshakes_per_second", "sluice", shaken["per_second"])
        report.add("handshake_us_p50", "sluice", shaken["p50"])
        report.add("handshake_us_p99", "sluice", shaken["p99"])
        report.add("delta_us_p99_alone", "sluice", alone["delay_us"]["p99"])
        report.add("delta_us_p99_beside", "sluice", beside["delay_us"]["p99"])
        report.add("delta_ms_p99_grows", "sluice", (beside["delay_us"]["p99"] - alone["delay_us"]["p99"]) / 1000)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    programs = {name: os.path.join(options.programs, path) for name, path in {
        "sluiced": "sluiced/sluiced", "bench_mock": "benchmarks/bench_mock", "bench_streams": "benchmarks/bench_streams",
        "bench_handshakes": "benchmarks/bench_handshakes"}.items()}
    rounds = 3 if options.quick else 7
    directory = tempfile.mkdtemp(prefix="sluice-bench-")
    report = Report(["sluice", "nginx"])
    mock = Mock(programs, directory)
    running = []
    try:
        loads = Loads(programs, directory, mock, seconds=1.2 if options.quick else 2.2, warm_up=0.5)
        pair = make_certificate(directory)
        sluice, tls_port = start_both(programs, directory, mock.port, pair)
        running.append(sluice)
        tls = f" ssl;\n    ssl_certificate {pair[0]};\n    ssl_certificate_key {pair[1]}"
        plain_nginx = run_nginx("nginx", DEVICE_CORE, directory, mock.port, False)
        running.append(plain_nginx)
        tls_nginx = run_nginx("nginx-tls", DEVICE_CORE, directory, mock.port, False, tls)
        running.append(tls_nginx)
        measure_requests(report, loads, {"sluice": (sluice, sluice, tls_port), "nginx": (plain_nginx, tls_nginx, tls_nginx.port)}, rounds)
        measure_handshakes(report, loads, programs, directory, sluice, tls_port, pair[0], rounds)
    finally:
        for device in running:
            device.stop()
        mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    report.bar("TLS: CPU a request, over plain", report.median("tls_over_plain", "sluice"), 2.0)
    report.bar("1,000 handshakes a second: growth of the streams' p99, ms", report.median("delta_ms_p99_grows", "sluice"), 5)
    kept_up = report.median("handshakes_per_second", "sluice")
    report.bar("1,000 handshakes a second: those that were not served", None if kept_up is None else HANDSHAKES - kept_up, 50)
    kept = report.write(rounds=rounds)
    return 0 if kept or not options.gate else 1


if __name__ == "__main__":
    sys.exit(main())
