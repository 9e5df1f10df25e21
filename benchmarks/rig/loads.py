"""The other side of the devices: the mock upstream and the loads, together on the core the devices do not have."""

import json
import os
import time
import urllib.request

from machine import LOAD_CORE, Process

BODY_BYTES = 2048


def chat_body(stream, wish, model="bench-7"):
    """A chat of 2 KB for the model of a route; `wish` is what the mock shall do (mock/mock.cpp)."""
    words = "the gateway forwards every byte of a request unless someone asked for a change "
    body = {"model": model, "messages": [
        {"role": "system", "content": "You are a concise assistant. Answer in one paragraph."},
        {"role": "user", "content": "What does a gateway in front of model providers do?"},
        {"role": "assistant", "content": "It routes, forwards, accounts and retries."},
        {"role": "user", "content": ""}],
        "temperature": 0.7, "max_tokens": 256, "user": wish}
    if stream:
        body["stream"] = True
    def encoded():
        return json.dumps(body, separators=(",", ":"))

    room = BODY_BYTES - len(encoded())
    body["messages"][3]["content"] = (words * (room // len(words) + 1))[:room]
    return encoded()


class Mock:
    def __init__(self, programs, directory):
        self._process = Process("mock", [programs["bench_mock"]], LOAD_CORE, directory)
        self.port = self._process.read_port()

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self._process.stop()


class EndedEarly(RuntimeError):
    """The load was over before the window was: this program did not get to run in time."""


class Loads:
    """Runs one load at a time against one port and reads the device's CPU time while it lasts."""

    def __init__(self, programs, directory, mock, seconds, warm_up):
        self._programs, self._directory, self._mock = programs, directory, mock
        self.seconds, self.warm_up = seconds, warm_up

    def _body(self, stream, wish, model="bench-7"):
        path = os.path.join(self._directory, f"body-{model}-{'stream' if stream else 'whole'}.json")  # loads may run beside each other
        with open(path, "w") as file:
            file.write(chat_body(stream, wish, model))
        return path

    def _window(self, process, device, counter):
        """CPU us of `device` for one `counter` of the mock, over the middle of a load; None without a device."""
        time.sleep(self.warm_up)
        if device is None:
            return None
        count, cpu = self._mock.stats()[counter], device.process.cpu_ns()
        time.sleep(self.seconds)
        cpu, stats = device.process.cpu_ns() - cpu, self._mock.stats()
        count = stats[counter] - count
        if device.process.poll() is not None:
            raise RuntimeError(f"{device.name} ended with {device.process.poll()} under load: {device.process.log()}")
        if process.poll() is not None or count <= 0:
            raise EndedEarly(f"the load on {device.name} ended before its window: {process.log()}")
        return {"cpu_us": cpu / 1e3 / count, "per_second": count / self.seconds, "in_flight": stats["peak_in_flight"]}

    def _run(self, start, device, counter):
        """One load from start to end; what it printed and what its window saw. A crowded machine gets three tries."""
        for last in (False, False, True):
            process = start()
            try:
                window = self._window(process, device, counter) or {}
                return {**json.loads(process.finish().strip().splitlines()[-1]), **window}
            except EndedEarly:
                if last:
                    raise
            except OSError:  # /proc has no such process
                if device is None or device.process.poll() is None:
                    raise
                raise RuntimeError(f"{device.name} ended with {device.process.poll()} under load: {device.process.log()}") from None
            finally:
                process.stop()

    def chats(self, port, connections, device=None, delay_us=0, model="bench-7", scheme="http"):
        """Whole answers over keep-alive connections, as fast as they come. Latencies in us."""
        script = os.path.join(os.path.dirname(__file__), "..", "load", "chat.lua")
        body = self._body(False, f"delay_us={delay_us}", model)
        duration = int(self.seconds + self.warm_up + 1)  # wrk takes whole seconds
        result = self._run(lambda: Process(
            "wrk", ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "--timeout", "20s", "-s", script,
                    f"{scheme}://127.0.0.1:{port}/v1/chat/completions"], LOAD_CORE, self._directory, {"BENCH_BODY": body}), device, "answers")
        if result["errors"]:
            raise RuntimeError(f"{result['errors']} of {result['requests']} requests went wrong")
        return result

    def streams(self, port, streams, events, gap_us, device=None):
        """Paced streams, each opened again when it ends."""
        body = self._body(True, f"events={events} gap_us={gap_us}")
        return self._run(lambda: Process(
            "streams", [self._programs["bench_streams"], "--port", str(port), "--streams", str(streams), "--seconds", str(self.seconds + 0.4),
                        "--warm-up", str(self.warm_up), "--body", body], LOAD_CORE, self._directory), device, "events")

    def held_streams(self, device, streams):
        """Resident bytes of the device for one stream that is open and silent."""
        self.chats(device.port, 4)  # what is made once, by the first requests, is not a stream's
        before = device.process.resident_bytes()
        process = Process("streams", [self._programs["bench_streams"], "--port", str(device.port), "--streams", str(streams), "--hold",
                                      "--body", self._body(True, "hold=1")], LOAD_CORE, self._directory, piped=True)
        try:
            if process.read_line().strip() != f"open {streams}":
                raise RuntimeError(f"{device.name} does not hold {streams} streams: {process.log()}")
            time.sleep(0.5)
            return (device.process.resident_bytes() - before) / streams
        finally:
            process.stop()
