"""Processes, cores, clocks and ports of the machine the figures come from. Knows nothing of HTTP."""

import os
import re
import signal
import socket
import subprocess
import time

DEVICE_CORE, LOAD_CORE = 0, 1
PRIORITY = -10  # a nice value


def free_port():
    """A port nobody has now. For programs that cannot say which one the kernel gave them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"{process.name} ended with {process.poll()} before it listened: {process.log()}")
        time.sleep(0.01)
    raise RuntimeError(f"{process.name} does not listen on port {port} after {seconds} s: {process.log()}")


def settle(core):
    """In a child, before it becomes its program: one core, and before other work of the machine where that is allowed."""
    os.sched_setaffinity(0, {core})
    try:
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        if PRIORITY < 0:
            with open("/proc/self/autogroup", "w") as file:  # where sessions are weighed, a nice value counts inside one only
                file.write(str(PRIORITY))
    except OSError:
        pass  # a quiet machine is as good


class Process:
    """One program on one core, with its children; ended by its own id."""

    def __init__(self, name, arguments, core, directory, environment=None, piped=False):
        self.name = name
        self.log_path = os.path.join(directory, f"{name}.log")
        self._log = open(self.log_path, "ab")
        self._child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE if piped else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log,
            env={**os.environ, **(environment or {})}, start_new_session=True,
            preexec_fn=lambda: settle(core))
        self.pid = self._child.pid

    def poll(self):
        return self._child.poll()

    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read()[-2000:].decode(errors="replace").strip()

    def read_line(self):
        line = self._child.stdout.readline().decode()
        if not line:
            raise RuntimeError(f"{self.name} said nothing: {self.log()}")
        return line

    def write_line(self, text):
        """Says a line to a program that was started `piped`."""
        self._child.stdin.write(text.encode() + b"\n")
        self._child.stdin.flush()

    def read_port(self):
        """The port of a program that prints `listening on http://127.0.0.1:PORT`."""
        for _ in range(20):
            found = re.search(r"listening on .*:(\d+)", self.read_line())
            if found:
                return int(found.group(1))
        raise RuntimeError(f"{self.name} did not say where it listens: {self.log()}")

    def finish(self):
        """Closes its input, waits for its end, and gives what it printed."""
        out, _ = self._child.communicate(timeout=60)
        if self._child.returncode != 0:
            raise RuntimeError(f"{self.name} ended with {self._child.returncode}: {out.decode()[-1000:]} {self.log()}")
        return out.decode()

    def stop(self):
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdout, self._child.stdin, self._log):
            if pipe:
                pipe.close()

    def tree(self):
        pids, open_ids = [], [self.pid]
        while open_ids:
            pid = open_ids.pop()
            pids.append(pid)
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                open_ids += [int(child) for child in file.read().split()]
        return pids

    def cpu_ns(self):
        """CPU time of all threads of the program and its children, user and system, as the scheduler counts it."""
        total = 0
        for pid in self.tree():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
        return total

    def resident_bytes(self):
        total = 0
        for pid in self.tree():
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return total
