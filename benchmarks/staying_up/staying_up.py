"""sluiced at ten times its load, beside slow clients, and over a long mixed load with faults and reloads. Run by run.sh,
which builds what it needs."""

import argparse
import glob
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "rig"))
from devices import start_sluice  # noqa: E402
from loads import Mock, chat_body  # noqa: E402
from machine import LOAD_CORE, Process  # noqa: E402
from report import Report, say  # noqa: E402

# What the device admits: so many in flight for 50 to 150 ms each, and as many again that wait for a place.
IN_FLIGHT, QUEUE, DELAY_US = 64, 64, 100_000
CAPACITY = IN_FLIGHT * 1e6 / DELAY_US  # a second
SLOW_HEADS = 500
MIB = 1024 * 1024


class Rig:
    """Programs, scratch files and the mock of one run."""

    def __init__(self, programs, directory):
        self.programs, self.directory = programs, directory
        self.mock = Mock(programs, directory)

    def device(self, **members):
        return start_sluice(self.programs, self.directory, self.mock.port, True, **members)

    def body(self, name, stream, wish):
        path = os.path.join(self.directory, f"{name}.json")
        with open(path, "w") as file:
            file.write(chat_body(stream, wish))
        return path

    def arrivals(self, device, rate, seconds, bodies):
        """Starts a load; finish() of what this gives has its line of JSON."""
        arguments = [self.programs["bench_arrivals"], "--port", str(device.port), "--rate", str(rate), "--seconds", str(seconds)]
        for body in bodies:
            arguments += ["--body", body]
        return Process("arrivals", arguments, LOAD_CORE, self.directory)


class Watch:
    """Samples the device beside a load: resident bytes and open descriptors."""

    def __init__(self, device, every=0.5):
        self._device, self._every, self._stop = device, every, threading.Event()
        self.samples = []  # (seconds, bytes, descriptors)
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        began = time.monotonic()
        while not self._stop.wait(self._every):
            self.samples.append((time.monotonic() - began, self._device.process.resident_bytes(), descriptors(self._device)))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def growth(self, share):
        """Bytes between what it had after `share` of the time, and at the end; each the median of a few samples."""
        if len(self.samples) < 8:
            return 0
        at = int(len(self.samples) * share)
        middle = lambda some: statistics.median(sample[1] for sample in some)
        return middle(self.samples[-3:]) - middle(self.samples[at:at + 3])

    def slope(self, share):
        """Bytes a second after `share` of the time: the line of least squares."""
        late = self.samples[int(len(self.samples) * share):]
        if len(late) < 8:
            return 0
        mean_t, mean_b = (statistics.fmean(sample[i] for sample in late) for i in (0, 1))
        return sum((t - mean_t) * (b - mean_b) for t, b, _ in late) / sum((t - mean_t) ** 2 for t, _, _ in late)


def descriptors(device):
    return len(os.listdir(f"/proc/{device.process.pid}/fd"))


def finish(process):
    try:
        return json.loads(process.finish().strip().splitlines()[-1])
    finally:
        process.stop()


def wait_for(process, seconds):
    """Its end, which may take longer than a load that waits for nobody."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return finish(process)


def measure_overload(report, rig, seconds):
    caps = {"in_flight": IN_FLIGHT, "queue": QUEUE, "queue_wait_ms": 0}
    device = rig.device(upstream_extras={"caps": caps})
    body = [rig.body("overload", False, f"delay_us={DELAY_US}")]
    try:
        say(f"half of the capacity of {CAPACITY:.0f} requests a second")
        calm = wait_for(rig.arrivals(device, CAPACITY / 2, max(5, seconds / 6), body), 120)
        say(f"ten times the capacity, for {seconds} s")
        with Watch(device) as watch:
            crowd = wait_for(rig.arrivals(device, CAPACITY * 10, seconds, body), seconds + 120)
        over = time.monotonic()
        after_load = rig.arrivals(device, CAPACITY / 2, 5, body)
        gap = time.monotonic() - over
        after = wait_for(after_load, 120)
    finally:
        device.stop()
    add = lambda figure, value: report.add(figure, "sluice", value)
    for name, run in (("calm", calm), ("overload", crowd), ("after", after)):
        add(f"{name}_served_p99_ms", run["served"]["p99"] / 1e3)
        add(f"{name}_lost_failed_or_bare", run["lost"]["count"] + run["failed"]["count"] + run["bare"]["count"])
    add("overload_requests_per_second", crowd["requests"] / seconds)
    add("overload_served_per_second", crowd["served"]["count"] / seconds)
    add("overload_refused", crowd["refused"]["count"])
    add("overload_refused_p50_ms", crowd["refused"]["p50"] / 1e3)
    add("overload_refused_p99_ms", crowd["refused"]["p99"] / 1e3)
    add("overload_resident_growth_mib", watch.growth(1 / 3) / MIB)
    recovery = gap + after["last_refusal_s"]
    add("recovery_s", recovery)
    report.bar("p99 of who is served, at ten times the capacity against half of it", crowd["served"]["p99"] / calm["served"]["p99"], 3)
    report.bar("ms until who is refused is told so, p99", crowd["refused"]["p99"] / 1e3, 5)
    report.bar("requests lost, failed, or refused without Retry-After", sum(run[how]["count"] for run in (calm, crowd, after) for how in ("lost", "failed", "bare")), 0)
    report.bar("MiB of growth in the last two thirds of the overload", watch.growth(1 / 3) / MIB, 2)
    report.bar("s from the end of the load until nobody is refused any more", recovery, 2)


def measure_slow_heads(report, rig, rounds, seconds):
    device = rig.device()
    body = [rig.body("slow", False, "delay_us=10000")]
    ratios = []
    try:
        for number in range(rounds):
            say(f"slow heads, round {number + 1} of {rounds}")
            alone = wait_for(rig.arrivals(device, 400, seconds, body), 120)
            slow = Process("slow_heads", [sys.executable, os.path.join(os.path.dirname(__file__), "slow_heads.py"), str(device.port), str(SLOW_HEADS)],
                           LOAD_CORE, rig.directory, piped=True)
            if slow.read_line().strip() != f"open {SLOW_HEADS}":
                raise RuntimeError(f"not all of {SLOW_HEADS} slow connections were taken")
            beside = wait_for(rig.arrivals(device, 400, seconds, body), 120)
            told = finish(slow)
            for name, run in (("alone", alone), ("beside_slow", beside)):
                if run["served"]["count"] != run["requests"]:
                    raise RuntimeError(f"{name}: of {run['requests']} requests {run['served']['count']} were served")
                report.add(f"{name}_p99_ms", "sluice", run["served"]["p99"] / 1e3)
            report.add("slow_sent_away", "sluice", told["away"])
            report.add("slow_longest_s", "sluice", told["longest_s"])
            ratios.append(beside["served"]["p99"] / alone["served"]["p99"])
    finally:
        device.stop()
    report.bar(f"p99 of others beside {SLOW_HEADS} slow heads against alone", statistics.median(ratios), 1.1)


def endings_told(path):
    """How each exchange ended, as the events say: one line an exchange."""
    counts = {}
    for name in glob.glob(path + "*"):
        with open(name) as file:
            for line in file:
                ending = json.loads(line).get("ending", "?")
                counts[ending] = counts.get(ending, 0) + 1
    return counts


def measure_soak(report, rig, minutes, rate, reload_every):
    events = os.path.join(rig.directory, "soak.jsonl")
    device = rig.device(extras={"telemetry": {"files": [{"path": events, "keep": 100}]}})
    wishes = {"whole": (False, "delay_us=20000", 450), "stream": (True, "events=20 gap_us=10000", 500), "cut": (False, "cut=1", 15),
              "error": (False, "status=500", 10), "cut_stream": (True, "events=20 gap_us=5000 cut=1", 25)}
    bodies = [f"{rig.body(name, stream, wish)}:{weight}" for name, (stream, wish, weight) in wishes.items()]
    reloads = 0
    try:
        warm = wait_for(rig.arrivals(device, rate, 5, bodies), 60)
        time.sleep(1)
        idle_before = descriptors(device)
        say(f"{rate} requests a second for {minutes} minutes: half of them streams, one in twenty a fault, a reload every {reload_every} s")
        with Watch(device, every=1) as watch:
            load = rig.arrivals(device, rate, minutes * 60, bodies)
            due = time.monotonic() + reload_every
            while load.poll() is None:
                time.sleep(0.2)
                if reload_every and time.monotonic() >= due:
                    due += reload_every
                    os.kill(device.process.pid, signal.SIGHUP)
                    reloads += 1
            run = finish(load)
        if device.process.poll() is not None:
            raise RuntimeError(f"sluiced ended with {device.process.poll()}: {device.process.log()}")
        time.sleep(1)
        idle_after = descriptors(device)
    finally:
        device.stop()  # drains, so that every event is written
    told = endings_told(events)
    add = lambda figure, value: report.add(figure, "sluice", value)
    asked = warm["requests"] + run["requests"]
    for how in ("served", "failed", "refused", "bare", "lost"):
        add(f"soak_{how}", run[how]["count"])
    add("soak_exchanges_told", sum(told.values()))
    add("soak_reloads", reloads)
    add("soak_served_p99_ms", run["served"]["p99"] / 1e3)
    add("soak_descriptors_most", max(sample[2] for sample in watch.samples))
    add("soak_resident_mib", watch.samples[-1][1] / MIB)
    slope = watch.slope(1 / 4) * 60 / MIB
    add("soak_slope_mib_per_minute", slope)
    say(f"ends as told in events: {told}")
    report.bar("exchanges lost, seen from the caller", run["lost"]["count"] + run["bare"]["count"] + run["refused"]["count"], 0)
    report.bar("requests that have not exactly one event", abs(asked - sum(told.values())), 0)
    report.bar("descriptors more than before, at rest", max(0, idle_after - idle_before), 16)
    # What the first minutes still fill is no slope.
    report.bar("MiB a minute after the first quarter", slope if minutes >= 5 else None, 0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="where the build put sluiced and the bench_ programs")
    parser.add_argument("--quick", action="store_true", help="everything short")
    parser.add_argument("--only", default="overload,slow_heads,soak", help="a selection of the parts, by comma")
    parser.add_argument("--seconds", type=float, help="of overload (60; quick: 10)")
    parser.add_argument("--minutes", type=float, help="of the soak (20; quick: 1)")
    parser.add_argument("--rate", type=float, default=150, help="requests a second of the soak")
    parser.add_argument("--reload-every", type=float, default=10, help="seconds between two reloads of the soak; 0 = none")
    parser.add_argument("--gate", action="store_true", help="exit 1 where a bar is missed")
    options = parser.parse_args()
    parts = options.only.split(",")
    programs = {name: os.path.join(options.programs, path) for name, path in {
        "sluiced": "sluiced/sluiced", "bench_mock": "benchmarks/bench_mock", "bench_arrivals": "benchmarks/bench_arrivals"}.items()}
    if "soak" in parts and options.reload_every:
        told = subprocess.run([programs["sluiced"], "--help"], capture_output=True, text=True).stdout
        if "SIGHUP" not in told:
            parser.error("this sluiced reloads on no signal; add --reload-every 0")

    directory = tempfile.mkdtemp(prefix="sluice-staying-up-")
    report = Report(["sluice"])
    rig = Rig(programs, directory)
    try:
        if "overload" in parts:
            measure_overload(report, rig, options.seconds or (10 if options.quick else 60))
        if "slow_heads" in parts:
            measure_slow_heads(report, rig, 3 if options.quick else 7, 5 if options.quick else 15)
        if "soak" in parts:
            measure_soak(report, rig, options.minutes or (1 if options.quick else 20), options.rate, options.reload_every)
    finally:
        rig.mock.stop()
        shutil.rmtree(directory, ignore_errors=True)
    kept = report.write()
    return 0 if kept or not options.gate else 1


if __name__ == "__main__":
    sys.exit(main())
