"""sluiced while it serves, from the outside: reload by SIGHUP, the log, statistics, and refusals at start.

Usage: sluiced_serving.py SLUICED SOURCE_DIRECTORY. Loopback only, any free port; every process is waited for. What a test
waits for is a line, an answer or an end, never a while.
"""
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

SLUICED, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
LIMIT = 60  # seconds any step may take, on a busy machine under sanitizers
PROMPT, KEY = "a prompt that nobody shall log", "key-that-nobody-shall-log"


def simulator(answer="Hello.", **settings):
    return {"name": "demo", "provider": "simulator", "simulator": {"answer": answer, **settings}}


class Sluiced:
    """One process that serves `document`, which is its file, and may be written anew."""

    def __init__(self, case, document, *options):
        self.case, self.path = case, case.file("gateway.json", document)
        self.process = subprocess.Popen([SLUICED, str(self.path), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        case.addCleanup(self.kill)
        self.addresses = {}
        for what, wanted in (("listening", True), ("statistics", "statistics_address" in document["gateway"])):
            if wanted:
                line = self.process.stdout.readline()
                case.assertRegex(line, rf"^{what} on http://127\.0\.0\.1:\d+(/statistics)?\n$")
                self.addresses[what] = int(re.search(r":(\d+)", line.split("//")[1]).group(1))

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=LIMIT)

    def request(self, method, path, body=None, headers=None, at="listening"):
        connection = http.client.HTTPConnection("127.0.0.1", self.addresses[at], timeout=LIMIT)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def chat(self, path="/v1/chat/completions", model="m", key=None, **more):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": PROMPT}], **more})
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        return self.request("POST", path, body, headers)

    def statistics(self):
        status, body = self.request("GET", "/statistics", at="statistics")
        self.case.assertEqual(status, 200)
        return json.loads(body)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def lines(self, last):
        """The log up to the line that holds `last`."""
        seen = []
        for line in self.process.stderr:
            seen.append(line)
            if last in line:
                return seen
        self.case.fail(f"no line says {last!r}: {seen}")

    def end(self):
        """Ends it as it is meant to be ended; the rest of the log."""
        self.process.send_signal(signal.SIGTERM)
        # Read as `lines` reads: communicate() would miss what that has taken in beyond its last line.
        late = threading.Timer(LIMIT, self.process.kill)
        late.start()
        rest = list(self.process.stderr)
        self.case.assertEqual(self.process.wait(timeout=LIMIT), 0, rest)
        late.cancel()
        return rest


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, name, content):
        path = self.directory / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def document(self, upstream=None, gateway=None, **more):
        return {"version": 1, "gateway": {"listen": [{"address": "127.0.0.1:0"}], **(gateway or {})}, "upstreams": [upstream or simulator()],
                "routes": [{"name": "all", "match": {"path": "/v1/**"}, "upstreams": [{"name": "demo"}]}], **more}


class Reload(Case):
    # OPS-11
    def test_a_hangup_puts_the_file_and_its_file_secrets_in_force(self):
        secret = self.file("key", "the-first-key\n")
        consumers = [{"name": "app", "keys": [{"file": str(secret)}]}]
        sluiced = Sluiced(self, self.document(simulator("First."), consumers=consumers))
        self.assertIn("First.", sluiced.chat(key="the-first-key")[1])
        self.file("key", "the-second-key\n")
        self.file("gateway.json", self.document(simulator("Second."), consumers=consumers))
        sluiced.hang_up()
        said = sluiced.lines("is in force")[-1]
        self.assertIn("1 upstreams and 1 routes", said)
        self.assertEqual(sluiced.chat(key="the-first-key")[0], 401)
        self.assertIn("Second.", sluiced.chat(key="the-second-key")[1])
        sluiced.end()

    # OPS-11
    def test_a_bad_document_is_logged_with_every_mistake_and_the_old_one_stays(self):
        sluiced = Sluiced(self, self.document(simulator("First.")))
        self.file("gateway.json", {"version": 1, "upstreems": [], "gateway": {"threads": "two"}})
        sluiced.hang_up()
        lines = sluiced.lines("/gateway/threads: must be")
        self.assertIn(" error SIGHUP: the configuration in force stays: ", lines[0])
        self.assertTrue(any('/upstreems: unknown key "upstreems", did you mean "upstreams"?' in line for line in lines), lines)
        self.assertTrue(all(re.match(r"\d{4}-\d\d-\d\dT\S+Z error ", line) for line in lines), lines)
        self.file("gateway.json", "{")
        sluiced.hang_up()
        self.assertIn("line 1, column", "".join(sluiced.lines("column")))
        self.path_gone(sluiced)
        self.assertIn("First.", sluiced.chat()[1])
        sluiced.end()

    def path_gone(self, sluiced):
        sluiced.path.unlink()
        sluiced.hang_up()
        self.assertIn("No such file", sluiced.lines("cannot be read")[-1])

    # OPS-11
    def test_a_secret_that_cannot_be_read_keeps_the_old_configuration(self):
        secret = self.file("key", "the-first-key\n")
        document = self.document(consumers=[{"name": "app", "keys": [{"file": str(secret)}]}])
        sluiced = Sluiced(self, document)
        secret.unlink()
        sluiced.hang_up()
        self.assertIn("No such file", sluiced.lines(str(secret))[-1])
        self.assertEqual(sluiced.chat(key="the-first-key")[0], 200)
        sluiced.end()

    # OPS-11
    def test_what_is_fixed_while_it_runs_is_refused_by_name(self):
        sluiced = Sluiced(self, self.document(simulator("First.")))
        self.file("gateway.json", self.document(simulator("Second."), {"threads": 3, "statistics_address": "127.0.0.1:0",
                                                                       "listen": [{"address": "127.0.0.1:1"}]}))
        sluiced.hang_up()
        lines = "".join(sluiced.lines("/gateway/listen/0/address"))
        for name in ("/gateway/threads: is 1 and would be 3", "/gateway/statistics_address: is unset", "/gateway/listen/0/address: is 127.0.0.1:0 and would be 127.0.0.1:1"):
            self.assertIn(name, lines)
        self.assertIn("First.", sluiced.chat()[1])
        sluiced.end()


class Log(Case):
    def talk(self, sluiced):
        """One of each: served, streamed, refused for its key, refused for its route. Gives their statuses."""
        return [sluiced.chat(key=KEY, model="one")[0], sluiced.chat(key=KEY, model="two", stream=True)[0],
                sluiced.chat(path="/v1/chat/completions?key=" + "wrong-" + KEY, model="three")[0], sluiced.chat(path="/nothing", key=KEY, model="four")[0]]

    def guarded(self, **more):
        secret = self.file("key", KEY)
        return self.document(consumers=[{"name": "app", "tenant": "acme", "keys": [{"file": str(secret)}]}], **more)

    def test_an_access_line_is_written_for_each_exchange_and_holds_no_secret_and_no_content(self):
        sluiced = Sluiced(self, self.guarded(), "--access-log", "--log-level", "error")
        statuses = self.talk(sluiced)
        self.assertEqual(statuses, [200, 200, 401, 404])
        lines = [line for line in sluiced.end() if " access " in line]
        self.assertEqual([int(re.search(r" status=(\d+)", line).group(1)) for line in lines], statuses)
        common = r"^\d{4}-\S+Z info access id=req_\w+ "
        self.assertRegex(lines[0], common + r"consumer=app tenant=acme client=127\.0\.0\.1 method=POST path=/v1/chat/completions route=all upstream=demo model=one "
                         r"(served_model=\S+ )?status=200 ending=completed bytes_in=\d+ bytes_out=\d+ total_ms=[\d.]+ (first_delta_ms=[\d.]+ )?input_tokens=\d+ output_tokens=\d+\n$")
        self.assertRegex(lines[1], r" first_delta_ms=[\d.]+ ")
        self.assertRegex(lines[2], common + r"client=127\.0\.0\.1 method=POST path=/v1/chat/completions .*status=401 ending=refused error=\w+ ")
        self.assertRegex(lines[3], r" path=/nothing .*status=404 ending=refused error=\w+ ")
        for secret in (KEY, PROMPT, "Hello.", "?"):
            self.assertNotIn(secret, "".join(lines))

    def test_json_is_one_object_a_line_from_the_first_to_the_last(self):
        sluiced = Sluiced(self, self.guarded(gateway={"plugins": [{"name": "request_log"}]}), "--log-format", "json", "--access-log")
        statuses = self.talk(sluiced)
        self.file("gateway.json", {"version": 1, "gateway": {"threads": "two\n\"three\""}, "x": 1})
        sluiced.hang_up()
        lines = [json.loads(line) for line in sluiced.lines("unknown key") + sluiced.end()]
        self.assertTrue(all(line["time"].endswith("Z") and line["level"] in ("info", "error") and line["message"] for line in lines))
        access = [line for line in lines if line["message"] == "access"]
        self.assertEqual([line["status"] for line in access], statuses)
        self.assertEqual({key: access[0][key] for key in ("consumer", "client", "method", "path", "route", "upstream", "model", "ending")},
                         {"consumer": "app", "client": "127.0.0.1", "method": "POST", "path": "/v1/chat/completions", "route": "all",
                          "upstream": "demo", "model": "one", "ending": "completed"})
        for number in ("bytes_in", "bytes_out", "total_ms", "input_tokens", "output_tokens"):
            self.assertGreaterEqual(access[0][number], 0)
        self.assertTrue(any(line["message"].startswith("SIGTERM: ") for line in lines))

    def test_no_exchange_is_logged_unasked_and_the_level_keeps_the_rest_out(self):
        sluiced = Sluiced(self, self.guarded())
        self.talk(sluiced)
        self.assertNotIn("access", "".join(sluiced.end()))
        quiet = Sluiced(self, self.guarded(), "--log-level", "warning")
        self.talk(quiet)
        self.assertEqual(quiet.end(), [])


def paths_of(value, path=""):
    """The fields of a JSON value as docs/operating.md names them: `upstreams[].name`."""
    if isinstance(value, dict):
        return {found for key, inner in value.items() for found in paths_of(inner, f"{path}.{key}" if path else key)}
    if isinstance(value, list):
        return {found for inner in value for found in paths_of(inner, path + "[]")} or {path + "[]"}
    return {path}


class Statistics(Case):
    def served(self, upstream=None, **more):
        return Sluiced(self, self.document(upstream, {"statistics_address": "127.0.0.1:0"}, **more))

    def test_every_field_is_in_the_table_and_every_row_of_the_table_is_a_field(self):
        sluiced = self.served(telemetry={"files": [{"path": str(self.directory / "events.jsonl")}]})
        page = (ROOT / "docs/operating.md").read_text()
        section = page.split("## Statistics\n")[1].split("\n## ")[0]
        self.assertEqual(set(re.findall(r"^\| `([^`]+)` \|", section, re.M)), paths_of(sluiced.statistics()))
        sluiced.end()

    def test_it_counts_exchanges_attempts_connections_and_bytes(self):
        once = [{"name": "all", "match": {"path": "/v1/**"}, "upstreams": [{"name": "demo"}], "retry": {"attempts": 1}}]
        sluiced = self.served(simulator(status=503), routes=once)
        before = sluiced.statistics()
        self.assertEqual((before["version"], before["draining"]), (subprocess.run([SLUICED, "--version"], capture_output=True, text=True).stdout.split()[1], False))
        self.assertEqual({key: before["connections"][key] for key in ("open", "accepted", "refused")}, {"open": 0, "accepted": 0, "refused": 0})
        self.assertEqual(sluiced.chat()[0], 503)
        self.assertEqual(sluiced.chat(path="/nothing")[0], 404)
        now = sluiced.statistics()
        self.assertEqual({key: now["exchanges"][key] for key in ("started", "open", "refused")}, {"started": 2, "open": 0, "refused": 1})
        self.assertEqual(now["upstreams"], [{"name": "demo", "in_flight": 0, "attempts": 1, "failures": 1}])
        self.assertEqual(now["connections"]["accepted"], 2)
        self.assertGreater(now["connections"]["bytes_received"], 2 * len(PROMPT))
        self.assertGreater(now["connections"]["bytes_sent"], 200)
        self.assertGreater(now["uptime_ms"], before["uptime_ms"])
        while sluiced.statistics()["connections"]["open"] != 0:
            pass
        sluiced.end()

    def test_its_address_has_three_pages_and_the_listener_has_not_the_first(self):
        sluiced = self.served()
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/statistics", 200), ("/", 404), ("/statistics/", 404), ("/v1/models", 404)):
            self.assertEqual(sluiced.request("GET", path, at="statistics")[0], status, path)
        self.assertEqual(sluiced.request("POST", "/v1/chat/completions", "{}", at="statistics")[0], 404)
        self.assertEqual(sluiced.request("POST", "/statistics", "{}", at="statistics")[0], 404)
        self.assertEqual(sluiced.request("HEAD", "/statistics", at="statistics"), (200, ""))
        self.assertEqual(sluiced.request("GET", "/statistics")[0], 404)
        self.assertEqual(sluiced.statistics()["exchanges"]["started"], 1)
        sluiced.end()

    def test_it_is_read_by_the_same_strict_parser(self):
        sluiced = self.served()
        with socket.create_connection(("127.0.0.1", sluiced.addresses["statistics"]), timeout=LIMIT) as connection:
            connection.sendall(b"GET /statistics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 400 "))
        sluiced.end()

    # OPS-05
    def test_a_drain_can_be_watched_to_its_end(self):
        sluiced = self.served(simulator("word " * 2000, tokens_per_second=2))
        with socket.create_connection(("127.0.0.1", sluiced.addresses["listening"]), timeout=LIMIT) as stream:
            text = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
            stream.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
            self.assertTrue(stream.recv(65536).startswith(b"HTTP/1.1 200 "))
            sluiced.process.send_signal(signal.SIGTERM)
            while sluiced.request("GET", "/readyz", at="statistics")[0] == 200:
                pass
            told = sluiced.statistics()
            self.assertEqual((told["draining"], told["exchanges"]["open"]), (True, 1))
            self.assertEqual(sluiced.request("GET", "/healthz", at="statistics")[0], 200)
            sluiced.process.send_signal(signal.SIGTERM)
            sluiced.process.communicate(timeout=LIMIT)
            self.assertEqual(sluiced.process.returncode, 1)


class Start(Case):
    def refused(self, document, *options):
        path = self.file("refused.json", document)
        done = subprocess.run([SLUICED, str(path), *options], capture_output=True, text=True, timeout=LIMIT, env={})
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    # OPS-12
    def test_what_where_and_why_stand_in_one_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            folder = str(self.directory)
            key = {"name": "demo", "provider": "openai", "credential": {"file": folder + "/missing"}}
            for document, *said in (
                    (self.document(gateway={"listen": [{"address": address}]}), address, "Address already in use"),
                    (self.document(gateway={"statistics_address": address}), address, "Address already in use"),
                    (self.document(key), "upstream 'demo'", folder + "/missing", "No such file"),
                    (self.document(key | {"credential": {"file": folder}}), "upstream 'demo'", folder, "Is a directory"),
                    (self.document(consumers=[{"name": "app", "keys": [{"file": folder + "/missing"}]}]), "consumer 'app'", folder + "/missing", "No such file")):
                line = self.refused(document)
                self.assertTrue(line.startswith("sluiced: "), line)
                for part in said:
                    self.assertIn(part, line)

    # OPS-12
    def test_the_line_is_json_where_the_log_is(self):
        line = json.loads(self.refused(self.document(gateway={"threads": 0}), "--log-format", "json"))
        self.assertEqual(line["level"], "error")
        self.assertIn("/gateway/threads", line["message"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
