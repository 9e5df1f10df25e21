"""Builds the wheel (PEP 517): compiles the native module, brings the library along, and packs both. Standard library only.

Where the library comes from, `library` says, as a config setting (`pip wheel . --config-settings library=...`) or in the environment
(`SLUICE_LIBRARY`):

  not set   the library is built from the tree this file stands in, with CMake, and bundled
  a path    that libsluice_c.so is bundled; nothing else is built
  system    nothing is bundled: the module is bound to the one the system has (pkg-config sluice_c), found by its usual loader
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON_ABI = "cp311-abi3"  # Py_LIMITED_API of native/native.h
FLAGS = ["-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-s", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L"]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same sources give the same wheel


def run(*command: str | Path) -> str:
    """What a program says; ends the build with all it said where it does not succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def built_library() -> Path:
    """The library, built from the tree."""
    build = ROOT / "build" / "python-wheel"
    run("cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DSLUICE_BUILD_CAPI=ON")
    run("cmake", "--build", build, "--target", "sluice_c", "-j", str(os.cpu_count() or 1))
    found = sorted(build.rglob("libsluice_c.so"))
    if not found:
        raise SystemExit(f"no libsluice_c.so in {build}: the build has made none")
    return found[0]


def soname(library: Path) -> str:
    """The name programs that were linked with it look for."""
    found = re.search(r"\(SONAME\).*\[(.+)\]", run("readelf", "-d", "-W", library))
    if not found:
        raise SystemExit(f"{library} has no SONAME: it is no libsluice_c.so")
    return found.group(1)


def compile_native(folder: Path, library: str | None) -> None:
    """Puts the module into `folder`, and the library beside it, unless it is the system's."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    includes = ["-I" + sysconfig.get_paths()["include"]]
    if library == "system":
        linked = shlex.split(run("pkg-config", "--cflags", "--libs", "sluice_c"))
    else:
        path = (Path(library) if library else built_library()).resolve()
        bundled = folder / soname(path)
        shutil.copyfile(path, bundled)
        run("strip", "--strip-unneeded", bundled)
        includes.append(f"-I{ROOT / 'capi/include'}")
        linked = [str(bundled), "-Wl,-rpath,$ORIGIN"]
    sources = sorted((HERE / "native").glob("*.c"))
    run(*compiler, *FLAGS, *includes, "-o", folder / "_native.abi3.so", *sources, *linked)


def version() -> str:
    """That of the library: the binding has none of its own."""
    found = re.search(r"project\(sluice VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    if not found:
        raise SystemExit("CMakeLists.txt does not say which version this is")
    return found.group(1)


def metadata(project: dict) -> str:
    """METADATA, from pyproject.toml."""
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {version()}", f"Summary: {project['description']}"]
    lines += [f"License: {project['license']['text']}", f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {classifier}" for classifier in project["classifiers"]]
    for extra, requirements in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    readme = (HERE / project["readme"]).read_text()
    return "\n".join(lines) + f"\nDescription-Content-Type: text/markdown\n\n{readme}"


def entry_points(project: dict) -> str:
    """entry_points.txt, from pyproject.toml."""
    groups = project.get("entry-points", {})
    return "".join(f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in rows.items()) for group, rows in groups.items())


def pack(wheel: Path, files: dict[str, bytes], info: str) -> None:
    """Writes the wheel, with the record of what is in it."""
    record = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        def add(name: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
            archive.writestr(entry, data)

        for name, data in sorted(files.items()):
            add(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        record.append(f"{info}/RECORD,,\n")
        add(f"{info}/RECORD", "".join(record).encode())


# --- what pip calls ------------------------------------------------------------------------------------------------------


def get_requires_for_build_wheel(config_settings: dict | None = None) -> list[str]:
    return []


def build_wheel(wheel_directory: str, config_settings: dict | None = None, metadata_directory: str | None = None) -> str:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    library = (config_settings or {}).get("library") or os.environ.get("SLUICE_LIBRARY")
    name = f"{project['name'].replace('-', '_')}-{version()}"
    tag = f"{PYTHON_ABI}-{re.sub('[-.]', '_', sysconfig.get_platform())}"
    info = f"{name}.dist-info"
    files = {f"sluice/{path.name}": path.read_bytes() for path in (HERE / "sluice").iterdir() if path.suffix in {".py", ".pyi"} or path.name == "py.typed"}
    with tempfile.TemporaryDirectory() as folder:
        compile_native(Path(folder), library)
        files |= {f"sluice/{path.name}": path.read_bytes() for path in Path(folder).iterdir()}
    files[f"{info}/METADATA"] = metadata(project).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: sluice\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    files[f"{info}/entry_points.txt"] = entry_points(project).encode()
    for text in ("LICENSE", "NOTICE"):
        files[f"{info}/{text}"] = (ROOT / text).read_bytes()
    wheel = f"{name}-{tag}.whl"
    pack(Path(wheel_directory) / wheel, files, info)
    return wheel


def build_sdist(sdist_directory: str, config_settings: dict | None = None) -> str:
    raise SystemExit("there is no sdist: the library's sources are those of the tree; build a wheel there")


if __name__ == "__main__":  # backend.py FOLDER [library=...]: without pip
    print(build_wheel(sys.argv[1], dict(setting.split("=", 1) for setting in sys.argv[2:])))
