"""sluiced from the outside: what its commands print, how they exit, and how serving starts and ends.

Usage: sluiced_commands.py SLUICED SOURCE_DIRECTORY. Loopback only, any free port; every process is waited for.
"""
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

SLUICED, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 60  # seconds any step may take, on a busy machine under sanitizers


def run(*arguments, env=None):
    done = subprocess.run([SLUICED, *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT, env=env)
    return done.returncode, done.stdout, done.stderr


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def file(self, name, content):
        path = pathlib.Path(self.directory.name) / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def demo(self, **changes):
        document = {"version": 1, "gateway": {"listen": [{"address": "127.0.0.1:0"}]},
                    "upstreams": [{"name": "demo", "provider": "simulator"}], "routes": [{"name": "all", "upstreams": [{"name": "demo"}]}]}
        document.update(changes)
        self.made = getattr(self, "made", 0) + 1
        return self.file(f"gateway{self.made}.json", document)


class Commands(Case):
    def test_wrong_usage_exits_2_and_says_why(self):
        for arguments in ([], ["--check"], ["a", "b"], ["a", "--chekc"], ["--init", "a"], ["a", "--json"]):
            status, out, err = run(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn("sluiced: ", err)
            self.assertIn("usage:", err)

    def test_version_help_schema(self):
        self.assertRegex(run("--version")[1], r"^sluiced \d+\.\d+\.\d+\n$")
        self.assertIn("--explain REQUEST.json", run("--help")[1])
        self.assertEqual(run("--schema")[1], (ROOT / "docs/schema/config.schema.json").read_text())

    def test_a_new_key_is_shown_once_with_an_entry_that_knows_it(self):
        status, out, err = run("--new-key", "app")
        self.assertEqual((status, err), (0, ""))
        key, entry = out.splitlines()[0], json.loads(out.splitlines()[-1])
        self.assertRegex(key, r"^sk-sluice-[0-9a-f]{64}$")
        self.assertEqual(entry, {"name": "app", "keys": [{"sha256": hashlib.sha256(key.encode()).hexdigest()}]})
        self.assertEqual(out.count(key), 1)
        self.assertNotEqual(key, run("--new-key", "app")[1].splitlines()[0])
        self.assertEqual(run(self.demo(consumers=[entry]), "--check")[0], 0)
        status, out, err = run("--new-key", "two words")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("no consumer can be called 'two words'", err)

    # OPS-09
    def test_every_example_and_the_starter_pass_offline(self):
        # Node has a JSON file of its own beside its programs.
        examples = sorted(path for path in (ROOT / "examples").glob("*/*.json") if path.name != "package.json")
        self.assertGreaterEqual(len(examples), 4)
        for path in examples:
            status, out, err = run(path, "--check", env={})
            self.assertEqual((status, err), (0, ""), path)
            self.assertTrue(out.startswith("ok: "), out)
        starter = self.file("starter.json", run("--init")[1])
        self.assertEqual(run(starter, "--check")[0], 0)

    # PLUG-10
    def test_check_tells_of_plugins_that_the_daemon_does_not_have(self):
        path = self.demo(gateway={"plugins": [{"name": "request_log"}, {"name": "request-log"}]})
        status, out, err = run(path, "--check")
        self.assertEqual((status, out), (1, ""))
        self.assertIn('/gateway/plugins/1/name: there is no plugin "request-log", did you mean "request_log"?', err)

    # OPS-01
    def test_check_tells_every_mistake(self):
        path = self.demo(upstreems=[], gateway={"threads": "two"})
        status, out, err = run(path, "--check")
        self.assertEqual((status, out), (1, ""))
        self.assertIn('/upstreems: unknown key "upstreems", did you mean "upstreams"?', err)
        self.assertIn("/gateway/threads: must be an integer from 0 to 256", err)
        status, out, err = run(path, "--check", "--json")
        self.assertEqual((status, err), (1, ""))
        told = json.loads(out)
        self.assertFalse(told["ok"])
        self.assertEqual({p["pointer"] for p in told["problems"]}, {"/upstreems", "/gateway/threads"})
        self.assertTrue(json.loads(run(self.demo(), "--check", "--json")[1])["ok"])

    # OPS-12
    def test_a_missing_file_is_one_line(self):
        for arguments in (["/nowhere.json"], ["/nowhere.json", "--check"], ["/nowhere.json", "--dump"]):
            status, out, err = run(*arguments)
            self.assertEqual((status, out), (1, ""))
            self.assertEqual(err.count("\n"), 1)
            self.assertIn("/nowhere.json", err)
            self.assertIn("No such file", err)
        self.assertIn("No such file", json.loads(run("/nowhere.json", "--check", "--json")[1])["problems"][0]["message"])

    # OPS-07
    def test_a_dump_is_a_valid_document_and_holds_no_secret(self):
        path = self.demo(upstreams=[{"name": "demo", "provider": "openai", "credential": {"env": "DEMO_KEY"}}])
        status, out, _ = run(path, "--dump", env={"DEMO_KEY": "sk-very-secret"})
        self.assertEqual(status, 0)
        self.assertNotIn("sk-very-secret", out)
        self.assertEqual(json.loads(out)["upstreams"][0]["credential"], {"env": "DEMO_KEY"})
        self.assertEqual(run(self.file("dump.json", out), "--dump")[1], out)

    # ROUTE-22
    def test_explain_says_where_a_request_would_go_without_secrets(self):
        request = self.file("request.json", {"target": "/v1/chat/completions", "consumer": "app",
                                             "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}})
        config = ROOT / "examples/configs/routing.json"
        status, out, err = run(config, "--explain", request, env={})
        self.assertEqual((status, err), (0, ""))
        self.assertIn("route chat (9th of 10)", out)
        told = json.loads(run(config, "--explain", request, "--json", env={})[1])
        self.assertEqual((told["status"], told["route"], told["upstream"]), (200, "chat", "openai"))
        bad = self.file("bad.json", {"targte": "/"})
        status, out, err = run(config, "--explain", bad)
        self.assertEqual((status, out), (1, ""))
        self.assertIn('did you mean "target"?', err)


class Serving(Case):
    def serve(self, path, env=None):
        process = subprocess.Popen([SLUICED, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

        def end():
            process.kill()
            process.communicate(timeout=LIMIT)
        self.addCleanup(end)
        return process

    def address(self, process):
        line = process.stdout.readline()
        self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+\n$")
        return "127.0.0.1", int(line.rsplit(":", 1)[1])

    def ask(self, address, body):
        connection = socket.create_connection(address, timeout=LIMIT)
        self.addCleanup(connection.close)
        text = json.dumps(body)
        connection.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        return connection

    def read_until(self, connection, mark):
        seen = b""
        while mark not in seen:
            piece = connection.recv(65536)
            self.assertTrue(piece, seen)
            seen += piece
        return seen

    def test_it_prints_where_it_listens_answers_and_ends_on_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.serve(self.demo())
            address = self.address(process)
            connection = self.ask(address, {"model": "m", "messages": [{"role": "user", "content": "hi"}]})
            self.assertTrue(self.read_until(connection, b"Hello from the simulator.").startswith(b"HTTP/1.1 200"))
            process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT)
            self.assertEqual((process.returncode, out), (0, ""), err)
            self.assertIn("no new connections", err)

    # OPS-05
    def test_a_running_answer_is_finished_before_it_ends(self):
        path = self.demo(upstreams=[{"name": "demo", "provider": "simulator", "simulator": {"answer": "one two three", "tokens_per_second": 5}}])
        process = self.serve(path)
        connection = self.ask(self.address(process), {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
        self.read_until(connection, b"one")
        process.send_signal(signal.SIGTERM)
        self.read_until(connection, b"[DONE]")
        out, err = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, err)

    def test_a_second_signal_ends_at_once(self):
        words = " ".join(["word"] * 2000)
        path = self.demo(upstreams=[{"name": "demo", "provider": "simulator", "simulator": {"answer": words, "tokens_per_second": 2}}])
        process = self.serve(path)
        connection = self.ask(self.address(process), {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
        self.read_until(connection, b"word")
        process.send_signal(signal.SIGTERM)
        line = process.stderr.readline()
        while line and "SIGTERM" not in line:
            line = process.stderr.readline()
        self.assertIn("a second signal ends them now", line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 1)

    # OPS-12
    def test_what_cannot_be_served_is_one_line_and_exit_1(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        missing = [{"name": "demo", "provider": "openai", "credential": {"env": "SLUICE_NOT_SET"}}]
        for path, said in ((self.demo(gateway={"listen": [{"address": f"127.0.0.1:{port}"}]}), str(port)),
                           (self.demo(gateway={"threads": 0, "listen": [{"address": "127.0.0.1:0"}]}), "/gateway/threads"),
                           (self.demo(telemetry={"prompt": True}, gateway={"listen": [{"address": "127.0.0.1:0"}]}), "/telemetry/files"),
                           (self.demo(gateway={}), "/gateway/listen"),
                           (self.demo(upstreams=missing), "SLUICE_NOT_SET")):
            status, out, err = run(path, env={})
            self.assertEqual((status, out), (1, ""), err)
            self.assertEqual(err.count("\n"), 1, err)
            self.assertIn(said, err)


if __name__ == "__main__":
    os.environ.pop("OPENAI_API_KEY", None)
    unittest.main(argv=[sys.argv[0], "-v"])
