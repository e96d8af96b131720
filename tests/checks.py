"""The checks that need no cluster: style, types, documentation, the built collection, and ansible-test's own.

    python tests/checks.py [NAME...]     all of them, or those whose name contains one of the words

It needs the tools of requirements-dev.txt on PATH and kubernetes.core in ANSIBLE_COLLECTIONS_PATH. Every check looks at a copy of the files that git knows
or would add: ansible-test insists on a folder named after the collection, and nothing that a check writes ends up in the checkout.
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AT_THE_SAME_TIME = 2
SECONDS_BETWEEN_SIGNS_OF_LIFE = 20

# All that may be at the top of the built collection, and what must be in it. ansible-test reads tests/config.yml wherever the collection is tested;
# the other tests need the sandbox.
ALLOWED = {"CHANGELOG.md", "CONTRIBUTING.md", "aap", "changelogs", "docs", "examples", "meta", "playbooks", "plugins", "rbac", "roles"}
REQUIRED = {"FILES.json", "LICENSE", "MANIFEST.json", "README.md", "meta/runtime.yml", "requirements.txt", "tests/config.yml"}


class CheckFailed(Exception):
    """A check found something; the message is what to show."""


@dataclass
class Check:
    """One check at work, on a copy of the collection in `<workspace>/ansible_collections/modelops/openshift_ai`."""

    name: str
    look: Callable[[Check], None]
    workspace: Path = Path()
    last_line: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def collection(self) -> Path:
        return self.workspace / "ansible_collections" / "modelops" / "openshift_ai"

    def run(self, *command: str, **variables: str) -> None:
        """Run a tool in the copy, with a home of its own; CheckFailed with everything it printed when it fails."""
        home = self.workspace / "home" / self.name
        home.mkdir(parents=True, exist_ok=True)
        env = os.environ | {"HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(self.workspace), "MYPYPATH": str(self.workspace)} | variables
        env.pop("PYTHONPATH", None)
        if not shutil.which(command[0]):
            raise CheckFailed(f"{command[0]} is not on PATH; run `make lint`")
        with subprocess.Popen(command, cwd=self.collection, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace") as process:
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                self.last_line = line.strip() or self.last_line
        if process.returncode:
            raise CheckFailed("".join(lines) or f"{command[0]} ended with exit code {process.returncode} and said nothing")


def cache() -> Path:
    """The folder that outlives a run, the sandbox's."""
    base = os.environ.get("SANDBOX_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelops-openshift-ai"
    path = Path(base).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def build(check: Check) -> None:
    """The collection builds, and holds what belongs into it and nothing else."""
    check.run("ansible-galaxy", "collection", "build", "--output-path", str(check.workspace))
    [artifact] = check.workspace.glob("*.tar.gz")
    with tarfile.open(artifact) as content:
        names = set(content.getnames())
    strange = {name for name in names if name not in REQUIRED and name.split("/")[0] not in ALLOWED and name != "tests"}
    problems = [f"not meant to be in it: {name}" for name in sorted(strange)] + [f"missing: {name}" for name in sorted(REQUIRED - set(names))]
    if problems:
        raise CheckFailed(f"{artifact.name}\n" + "\n".join(problems))


def sanity(check: Check) -> None:
    """All of ansible-test's sanity tests, with every Python of this machine that they know.

    They make themselves a virtual environment for each test and Python, below a home that is kept.
    """
    home = cache() / "ansible-test"
    home.mkdir(exist_ok=True)
    with _locked(home / "lock", check):
        _offer_pip(home)
        (home / ".config" / "pip").mkdir(parents=True, exist_ok=True)
        _save_pip_settings(home / ".config" / "pip" / "pip.conf")
        check.run("ansible-test", "sanity", "--color", "no", HOME=str(home), PATH=_path_of_working_pythons())


@contextlib.contextmanager
def _locked(path: Path, check: Check) -> Iterator[None]:
    with path.open("w") as lock:
        check.last_line = "waiting for the ansible-test of another checkout"
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _offer_pip(home: Path) -> None:
    """Put pip, as Python itself brings it, where ansible-test looks before it downloads a get-pip.py from a host that may be out of reach."""
    specification = importlib.util.find_spec("ansible_test")
    if not specification or not specification.origin:
        raise CheckFailed("ansible-test is not installed for this Python; run `make lint`")
    source = Path(specification.origin).parent / "_internal" / "python_requirements.py"
    downloads = home / ".ansible" / "test" / "cache"
    downloads.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"\bpip='([\d.]+)'", source.read_text()):
        (downloads / f"get_pip_{version.replace('.', '_')}.py").write_text("import ensurepip\n\nensurepip.bootstrap(default_pip=True)\n")


def _save_pip_settings(path: Path) -> None:
    """ansible-test hides the environment from pip, and its home is another one: write down where packages come from."""
    settings = configparser.RawConfigParser()
    settings["global"] = {"proxy": proxy} if (proxy := os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")) else {}
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], text=True, capture_output=True, check=True).stdout
    # Those of the environment last: they win.
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, option = name.replace(":env:", "global").split(".", 1)
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, str(ast.literal_eval(value)))
    path.touch(mode=0o600)
    with path.open("w") as file:
        settings.write(file)


def _path_of_working_pythons() -> str:
    """PATH with pyenv's Pythons in it, and without folders in which a program named like a Python does not run.

    Pyenv has such programs for all versions that it installed, whether it uses them or not, and ansible-test takes the first of that name.
    """

    def works(folder: Path) -> bool:
        programs = [program for program in folder.glob("python3.*") if re.fullmatch(r"python3\.\d+", program.name)]
        return all(subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0 for program in programs)

    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)] + sorted(pyenv.glob("versions/3.*/bin"))
    return os.pathsep.join(str(folder) for folder in folders if works(folder))


CHECKS: dict[str, Callable[[Check], None]] = {
    # The longest first: the others run beside it.
    "ansible-test sanity": sanity,
    "ansible-lint": lambda check: check.run("ansible-lint", "--offline", "--strict", "--nocolor"),
    "mypy": lambda check: check.run("mypy", "--cache-dir", str(cache() / "mypy")),
    "ruff format": lambda check: check.run("ruff", "format", "--no-cache", "--check", "."),
    "ruff check": lambda check: check.run("ruff", "check", "--no-cache", "."),
    "yamllint": lambda check: check.run("yamllint", "--strict", "."),
    "antsibull-changelog": lambda check: check.run("antsibull-changelog", "lint"),
    "antsibull-docs": lambda check: check.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "."),
    "build": build,
}


def copy_of_the_checkout(workspace: Path) -> None:
    """The collection in a tree as Ansible wants it, with kubernetes.core beside it."""
    collections = workspace / "ansible_collections"
    for found in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        if (kubernetes := Path(found, "ansible_collections", "kubernetes", "core")).is_dir():
            shutil.copytree(kubernetes, collections / "kubernetes" / "core")
            break
    else:
        raise SystemExit("kubernetes.core is not in ANSIBLE_COLLECTIONS_PATH; run `make lint`, or see CONTRIBUTING.md")
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if os.path.lexists(ROOT / name):
            target = collections / "modelops" / "openshift_ai" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)


def _show_signs_of_life(tasks: list[Future[None]], running: dict[str, Check], printing: threading.Lock) -> None:
    """Until all tasks are done, say every now and then what each running check printed last."""
    while wait(tasks, SECONDS_BETWEEN_SIGNS_OF_LIFE).not_done:
        with printing:
            for check in list(running.values()):
                print(f"    {check.name}: {time.monotonic() - check.started:.0f} s so far, {check.last_line}", flush=True)


def main(words: list[str]) -> int:
    chosen = {name: look for name, look in CHECKS.items() if not words or any(word in name for word in words)}
    if not chosen:
        print(f"there is no such check; there are: {', '.join(CHECKS)}")
        return 2
    printing = threading.Lock()
    running: dict[str, Check] = {}
    failed: list[str] = []

    def perform(number: int, name: str, look: Callable[[Check], None]) -> None:
        check = running[name] = Check(name, look, workspace)
        label = f"[{number}/{len(chosen)}] {name}"
        with printing:
            print(f"{label} …", flush=True)
        problem = ""
        try:
            look(check)
        except Exception as error:
            problem = str(error) if isinstance(error, CheckFailed) else repr(error)
        del running[name]
        with printing:
            print(f"{label} {'FAILED' if problem else 'passed'} in {time.monotonic() - check.started:.0f} s", flush=True)
            if problem:
                failed.append(name)
                print("    " + problem.strip().replace("\n", "\n    "), flush=True)

    with tempfile.TemporaryDirectory(prefix="modelops-checks-") as folder:
        workspace = Path(folder).resolve()
        copy_of_the_checkout(workspace)
        with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
            tasks = [pool.submit(perform, number, name, look) for number, (name, look) in enumerate(chosen.items(), 1)]
            try:
                _show_signs_of_life(tasks, running, printing)
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise
    print(f"{len(chosen) - len(failed)} passed, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
