"""The devices under test: each a reverse proxy to the mock, on one core, configured as its own manual recommends for
keep-alive and streams. Knows how they are configured and started; not what is measured."""

import json
import os
import shutil
import subprocess

from machine import DEVICE_CORE, LOAD_CORE, Process, free_port, wait_for_port

NGINX = """
{user}daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {directory}/nginx.pid;
error_log {directory}/nginx.error.log;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {directory}/nginx.body;
  proxy_temp_path {directory}/nginx.proxy;
  fastcgi_temp_path {directory}/nginx.fastcgi;
  uwsgi_temp_path {directory}/nginx.uwsgi;
  scgi_temp_path {directory}/nginx.scgi;
  keepalive_requests 100000000;
  upstream mock {{
    server 127.0.0.1:{mock};
    keepalive 8192;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096{tls};
    location / {{
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_read_timeout 600s;
      proxy_buffering {buffering};
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn {half}
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  option http-no-delay
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  default_backend back
backend back
  server mock 127.0.0.1:{mock}
"""


def files_allowed():
    import resource
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


class Device:
    """A running device: `port` is where the load goes."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port

    def stop(self):
        self.process.stop()


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def found(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise RuntimeError(f"{program} is not installed")
    return path


def start_sluice(programs, directory, mock_port, streaming, certificate=None, name="sluice", extras=None, route_extras=None,
                 more_upstreams=(), upstream_extras=None):
    """Ten routes, told apart by the model; the load asks for the eighth's. One engine thread, everything else default.
    With a certificate the mock's port speaks TLS and proves itself by it. `extras`, `route_extras` (by number),
    `more_upstreams`, `upstream_extras` (of the mock): more of the configuration."""
    del streaming
    routes = [{"name": f"route-{i}", "match": {"path": "/v1/chat/completions", "model": [f"bench-{i}"]}, "upstreams": [{"name": "mock"}]}
              for i in range(10)]
    config = {
        "version": 1,
        "gateway": {"name": "bench", "threads": 1, "listen": [{"address": "127.0.0.1:0"}]},
        "upstreams": [{"name": "mock", "provider": "openai-compatible", "url": f"http://127.0.0.1:{mock_port}/v1"}],
        "routes": routes,
    }
    if certificate:
        config["upstreams"][0].update(url=f"https://127.0.0.1:{mock_port}/v1", tls={"ca_file": certificate})
    config["upstreams"][0].update(upstream_extras or {})
    config["upstreams"].extend(more_upstreams)
    for number, members in (route_extras or {}).items():
        routes[number].update(members)
    for section, members in (extras or {}).items():
        config.setdefault(section, {}).update(members)
    path = write(directory, f"{name}.json", json.dumps(config, indent=2))
    process = Process(name, [programs["sluiced"], path], DEVICE_CORE, directory)
    return Device(name, process, process.read_port())


def start_sluice_all(programs, directory, mock_port, streaming):
    """The same with an event for each exchange, shape limits and a request log."""
    limits = {"messages": 100, "characters": 100_000, "tools": 64, "attachments": 8}
    return start_sluice(programs, directory, mock_port, streaming, name="sluice-all", extras={
        "gateway": {"plugins": [{"name": "caps", "limits": limits}, {"name": "request_log"}]},
        "telemetry": {"files": [{"path": os.path.join(directory, "events.jsonl")}]}})


def run_nginx(name, core, directory, mock_port, streaming, tls=""):
    port = free_port()
    files = files_allowed()
    text = NGINX.format(user="user root;\n" if os.geteuid() == 0 else "", directory=directory, files=files, connections=files - 100,
                        mock=mock_port, port=port, buffering="off" if streaming else "on", tls=tls)
    path = write(directory, f"{name}.conf", text)
    process = Process(name, [found("nginx"), "-p", directory, "-c", path], core, directory)
    wait_for_port(port, process)
    return Device(name, process, port)


def start_nginx(programs, directory, mock_port, streaming):
    del programs
    return run_nginx("nginx", DEVICE_CORE, directory, mock_port, streaming)


class TlsFront:
    """The mock behind TLS: nginx on the load's core, with a certificate of its own making. Use it as a context."""

    def __init__(self, directory, mock_port):
        self._directory, self._mock_port = directory, mock_port
        self.certificate = os.path.join(directory, "front.pem")

    def __enter__(self):
        key = os.path.join(self._directory, "front.key")
        subprocess.run([found("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=mock", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate],
                       check=True, capture_output=True)
        self._device = run_nginx("front", LOAD_CORE, self._directory, self._mock_port, True,
                                 f" ssl;\n    ssl_certificate {self.certificate};\n    ssl_certificate_key {key}")
        self.port = self._device.port
        return self

    def __exit__(self, *_):
        self._device.stop()


def start_haproxy(programs, directory, mock_port, streaming):
    del programs, streaming
    port = free_port()
    path = write(directory, "haproxy.cfg", HAPROXY.format(half=(files_allowed() - 200) // 2, port=port, mock=mock_port))
    process = Process("haproxy", [found("haproxy"), "-db", "-q", "-f", path], DEVICE_CORE, directory)
    wait_for_port(port, process)
    return Device("haproxy", process, port)


def start_bare(programs, directory, mock_port, streaming):
    del streaming
    url = f"http://127.0.0.1:{mock_port}/v1/chat/completions"
    process = Process("bare", [programs["bench_bare_proxy"], url], DEVICE_CORE, directory)
    return Device("bare", process, process.read_port())


STARTERS = {"sluice": start_sluice, "sluice-all": start_sluice_all, "nginx": start_nginx, "haproxy": start_haproxy, "bare": start_bare}


class Fleet:
    """Some devices, all running at once and idle but the one under load. Use it as a context."""

    def __init__(self, names, programs, directory, mock_port, streaming=False):
        self._start = lambda name: STARTERS[name](programs, directory, mock_port, streaming)
        self._names, self.devices = names, {}

    def __enter__(self):
        try:
            for name in self._names:
                self.devices[name] = self._start(name)
        except BaseException:
            self.__exit__()
            raise
        return self.devices

    def __exit__(self, *_):
        for device in self.devices.values():
            device.stop()
