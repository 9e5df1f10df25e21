"""What is installed: which library it runs on, its types, its command, and its examples."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sluice
from conftest import CHAT, PATIENCE, configuration, hello, run_python

TREE = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((TREE / "examples" / "python").glob("*.py"))
LOADED = "import sluice, json; print(json.dumps([line.split()[-1] for line in open('/proc/self/maps') if 'libsluice_c' in line][:1]))"


def command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "sluice", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, **options)


# --- the library -----------------------------------------------------------------------------------------------------------


def test_the_library_is_the_bundled_one():
    (loaded,) = json.loads(run_python(LOADED).stdout)
    assert Path(loaded).parent == Path(sluice.__file__).parent


def test_by_option_it_is_the_systems(tmp_path):
    """`library=system` binds the module to what pkg-config names; its usual loader finds it."""
    bundled = next(Path(sluice.__file__).parent.glob("libsluice_c.so.*"))
    system = tmp_path / "system"
    system.mkdir()
    (system / bundled.name).write_bytes(bundled.read_bytes())
    (system / "libsluice_c.so").symlink_to(bundled.name)
    (system / "sluice_c.pc").write_text(f"Name: sluice_c\nDescription: d\nVersion: 0\nLibs: -L{system} -lsluice_c\nCflags: -I{TREE}/capi/include\n")
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    wheels.mkdir()
    build = [sys.executable, str(TREE / "bindings/python/backend.py"), str(wheels), "library=system"]
    built = subprocess.run(build, env={**os.environ, "PKG_CONFIG_PATH": str(system)}, capture_output=True, text=True, timeout=PATIENCE)
    assert built.returncode == 0, built.stderr
    import zipfile

    with zipfile.ZipFile(next(wheels.iterdir())) as wheel:
        assert not [name for name in wheel.namelist() if "libsluice_c" in name]
        wheel.extractall(site)
    done = run_python(LOADED, env={"PYTHONPATH": str(site), "LD_LIBRARY_PATH": str(system)})
    assert json.loads(done.stdout) == [str(system / bundled.name)], done.stderr
    assert run_python(LOADED, env={"PYTHONPATH": str(site)}).returncode != 0


def test_it_is_of_the_stable_abi():
    native = next(Path(sluice.__file__).parent.glob("_native*"))
    assert native.name == "_native.abi3.so"
    imported = subprocess.run(["nm", "-D", "--undefined-only", native], capture_output=True, text=True, check=True).stdout.split()
    assert "PyModuleDef_Init" in imported and not [name for name in imported if name.startswith("_PyUnicode_") or name == "_PyGILState_GetInterpreterStateUnsafe"]
    exported = subprocess.run(["nm", "-D", "--defined-only", native], capture_output=True, text=True, check=True).stdout.split()[2::3]
    assert exported == ["PyInit__native"]


def test_the_types_are_whole():
    pytest.importorskip("mypy")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "sluice"], cwd=TREE / "bindings/python", capture_output=True, text=True, timeout=4 * PATIENCE
    )
    assert checked.returncode == 0, checked.stdout
    assert (Path(sluice.__file__).parent / "py.typed").exists()


def test_everything_public_is_documented():
    undocumented = [name for name in sluice.__all__ if name != "Ruling" and not (getattr(sluice, name).__doc__ or "").strip()]
    for kind in (sluice.Gateway, sluice.Stream, sluice.Server, sluice.Response, sluice.Plugin):
        undocumented += [f"{kind.__name__}.{name}" for name, member in vars(kind).items() if not name.startswith("_") and (callable(member) or isinstance(member, property)) and not member.__doc__]
    assert undocumented == []


# --- the command -----------------------------------------------------------------------------------------------------------


def test_the_command_checks(tmp_path):
    good, wrong = tmp_path / "good.json", tmp_path / "wrong.json"
    good.write_text(json.dumps(configuration()))
    wrong.write_text(json.dumps({**configuration(), "rotues": []}))
    assert command("check", good).returncode == 0
    said = command("check", wrong)
    assert said.returncode == 1 and "/rotues" in said.stderr
    assert command("check", tmp_path / "absent.json").returncode == 1
    assert command("judge", good).returncode == 2


def test_the_command_explains(tmp_path):
    config, request = tmp_path / "gateway.json", tmp_path / "request.json"
    config.write_text(json.dumps(configuration()))
    request.write_text(json.dumps({"target": CHAT, "body": hello()}))
    assert "quick" in command("explain", config, request).stdout
    assert isinstance(json.loads(command("explain", "--json", config, request).stdout), dict)


def test_the_command_serves_until_it_is_told_to_end(tmp_path):
    config = tmp_path / "gateway.json"
    config.write_text(json.dumps(configuration(listen=[{"address": "127.0.0.1:0"}])))
    serving = subprocess.Popen([sys.executable, "-m", "sluice", "serve", str(config), "--drain", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = serving.stdout.readline().split()[-1]
        import urllib.request

        asked = urllib.request.Request(address + CHAT, json.dumps(hello()).encode(), {"content-type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=PATIENCE) as answer:
            assert answer.status == 200
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(PATIENCE) == 0
    finally:
        serving.kill()
        serving.communicate()


# --- the examples ----------------------------------------------------------------------------------------------------------


def test_there_are_five_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.stem for example in EXAMPLES])
def test_an_example_runs_and_says_what_it_says_it_says(example):
    done = subprocess.run([sys.executable, "-X", "dev", str(example)], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    expected = example.read_text().split('prints:\n\n')[1].split('\n"""')[0]
    assert done.stdout.strip() == "\n".join(line.removeprefix("    ") for line in expected.splitlines()).strip()
