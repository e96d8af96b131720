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
import fnmatch
import functools
import json
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

import yaml

from tests import phrases, warm

ROOT = Path(__file__).resolve().parent.parent
AT_THE_SAME_TIME = 2
# Of Python 3: the minor version from which on modules run.
OLDEST_PYTHON = 9
SECONDS_BETWEEN_SIGNS_OF_LIFE = 20

# What the built collection holds, folder by folder: a file that git knows belongs in it when it matches one of its folder's patterns, and nothing else does.
# ansible-test reads tests/config.yml wherever the collection is tested; the other tests need the sandbox.
CONTENT = {
    ".": ".ansible-lint CHANGELOG.* CODE_OF_CONDUCT.md CONTRIBUTING.md LICENSE README*.md SECURITY.md bindep.txt execution-environment.yml requirements.txt",
    "aap": "*",
    "changelogs": "*",
    "docs": "docsite/* site/static/report-light.webp",
    "examples": "*",
    "meta": "execution-environment.yml runtime.yml",
    "playbooks": "*",
    "plugins": "*.py",
    "rbac": "*.yml",
    "roles": "*",
    "tests": "config.yml",
}
# Made by the build.
MADE = {"FILES.json", "MANIFEST.json"}
# What Galaxy and Automation Hub show of a role, as `ansible-galaxy role init` has it.
OF_A_ROLE = ["Requirements", "Role variables", "Dependencies", "Example playbook", "License", "Author information"]
ATTRIBUTES = {"action_group", "async", "check_mode", "diff_mode", "idempotent", "platform"}


class CheckFailed(Exception):
    """A check found something; the message is what to show."""


@dataclass
class Check:
    """One check at work, on a copy of the collection in `<workspace>/ansible_collections/modelops/openshift_ai`."""

    name: str
    look: Callable[[Check], object]
    workspace: Path = Path()
    last_line: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def collection(self) -> Path:
        return self.workspace / "ansible_collections" / "modelops" / "openshift_ai"

    def run(self, *command: str, folder: Path | None = None, **variables: str) -> str:
        """What a tool prints that runs in the copy or in `folder`, with a home of its own; CheckFailed with all of it when the tool fails."""
        home = self.workspace / "home" / self.name
        home.mkdir(parents=True, exist_ok=True)
        env = os.environ | {"HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(self.workspace), "MYPYPATH": str(self.workspace)}
        env.pop("PYTHONPATH", None)
        env |= variables
        if not shutil.which(command[0]):
            raise CheckFailed(f"{command[0]} is not on PATH; run `make lint`")
        with subprocess.Popen(
            command, cwd=folder or self.collection, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
        ) as process:
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                self.last_line = line.strip() or self.last_line
        if process.returncode:
            raise CheckFailed("".join(lines) or f"{command[0]} ended with exit code {process.returncode} and said nothing")
        return "".join(lines)


def cache() -> Path:
    """The folder that outlives a run, the sandbox's."""
    base = os.environ.get("SANDBOX_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelops-openshift-ai"
    path = Path(base).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def build(check: Check) -> None:
    """The collection builds, and holds what belongs in it: all of that and nothing else."""
    check.run("ansible-galaxy", "collection", "build", "--output-path", str(check.workspace))
    [artifact] = check.workspace.glob("*.tar.gz")
    with tarfile.open(artifact) as content:
        names = {member.name for member in content if not member.isdir()}
    wanted = {name for name in known_files() if belongs(name)} | MADE
    problems = [f"not meant to be in it: {name}" for name in sorted(names - wanted)] + [f"missing: {name}" for name in sorted(wanted - names)]
    if problems:
        raise CheckFailed(f"{artifact.name}\n" + "\n".join(problems))


def belongs(name: str) -> bool:
    """Whether a file of the checkout belongs in the built collection."""
    folder, inside = name.split("/", 1) if "/" in name else (".", name)
    return any(fnmatch.fnmatch(inside, pattern) for pattern in CONTENT.get(folder, "").split())


def changelog(check: Check) -> None:
    """The fragments are valid, and CHANGELOG.md is what `make changelog` makes of them."""
    check.run("antsibull-changelog", "lint")
    # On a copy of its own: other checks read this one meanwhile.
    copy = check.workspace / "changelog" / "ansible_collections" / "modelops" / "openshift_ai"
    shutil.copytree(check.collection, copy)
    subprocess.run([sys.executable, "tests/changelog.py", str(copy)], cwd=ROOT, check=True, capture_output=True)
    stale = [name for name in ("CHANGELOG.md", "changelogs/changelog.yaml") if (copy / name).read_text() != (check.collection / name).read_text()]
    if stale:
        raise CheckFailed(f"{' and '.join(stale)} lack a fragment: run `make changelog`")


def attributes(check: Check) -> None:
    """Every module documents all attributes, and those that connect to a cluster are in the action group."""
    modules = sorted(f"modelops.openshift_ai.{path.stem}" for path in (check.collection / "plugins" / "modules").glob("*.py"))
    shown = json.loads(check.run("ansible-doc", "--json", "--type", "module", *modules))
    lacking = {name: ATTRIBUTES - set(shown.get(name, {}).get("doc", {}).get("attributes", {})) for name in modules}
    problems = [f"{name} does not document {', '.join(sorted(missing))}" for name, missing in lacking.items() if missing]
    group = yaml.safe_load((check.collection / "meta" / "runtime.yml").read_text())["action_groups"]["all"]
    connecting = [name for name in modules if "kubeconfig" in shown.get(name, {}).get("doc", {}).get("options", {})]
    problems += [f"{name} is not in the action group of meta/runtime.yml" for name in connecting if name.rpartition(".")[2] not in group]
    if problems:
        raise CheckFailed("\n".join(problems))


def imports(check: Check) -> None:
    """What is sent with a module imports our own files whole: from the package that they are in, and never a name from a file.

    Ansible takes each name that is imported from one for a file that may exist, and looks for it in every run: that was a quarter of what it took to put
    the module for a list of registries together.
    """
    ours = "ansible_collections.modelops.openshift_ai.plugins."
    problems = [
        f"{path.relative_to(check.collection)} imports {', '.join(names)}: import the file, and say where each name is from"
        for folder in ("modules", "module_utils")
        for path in sorted((check.collection / "plugins" / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(ours))
        for package in [(path.parents[node.level - 1] if node.level else check.workspace).joinpath(*(node.module or "").split("."))]
        if (names := [name.name for name in node.names if not (package / f"{name.name}.py").is_file()])
    ]
    if problems:
        raise CheckFailed("\n".join(problems))


def readmes(check: Check) -> None:
    """Every language's README names the same things and shows the same commands, their tables hold every module and playbook, and their links work anywhere."""
    texts = {path.name: path.read_text() for path in sorted(check.collection.glob("README*.md"))}
    # They are shown where the other files of the checkout are not.
    relative = {name: [link for link in links_in(text) if not link.startswith("https://") and not is_picture(link)] for name, text in texts.items()}
    english = texts.pop("README.md")
    problems = [
        f"{name}: {what} differ from README.md: {', '.join(sorted(set(mine) ^ set(wanted)) or ['their order or number'])}"
        for name, text in texts.items()
        for (what, mine), wanted in zip(named_in(text).items(), named_in(english).values(), strict=True)
        if mine != wanted
    ]
    there = {path.stem for folder in ("plugins/modules/*.py", "playbooks/*.yml") for path in check.collection.glob(folder)}
    problems += [f"README.md: no row for {name}" for name in sorted(there - set(re.findall(r"^\| `(\w+)` \|", english, re.MULTILINE)))]
    problems += [f"{name}: {link} is no full address" for name, links in relative.items() for link in links]
    problems += [problem for role in sorted(check.collection.glob("roles/*")) for problem in problems_of_a_role(role)]
    if problems:
        raise CheckFailed("\n".join(problems))


def is_picture(link: str) -> bool:
    """Whether a link leads to a picture that is a part of the built collection."""
    return Path(link).suffix == ".webp" and belongs(link) and (ROOT / link).is_file()


def problems_of_a_role(role: Path) -> list[str]:
    """What the README of a role lacks: a section, a variable, or the default of one."""
    text = (role / "README.md").read_text()
    entries = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"].values()
    wanted = {name: spec for entry in reversed(entries) for name, spec in entry["options"].items()}
    shown = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE))
    problems = [] if re.findall(r"^## (.+)", text, re.MULTILINE) == OF_A_ROLE else [f"the sections are not {', '.join(OF_A_ROLE)}"]
    problems += [f"no row for {name}" for name in wanted.keys() - shown] + [f"there is no variable {name}" for name in shown.keys() - wanted]
    for name in wanted.keys() & shown:
        default = "Required" if wanted[name].get("required") else _in_a_table(wanted[name]["default"]) if "default" in wanted[name] else ""
        if default and shown[name] != default:
            problems.append(f"the default of {name} is {default} and not {shown[name]}")
    return [f"roles/{role.name}/README.md: {problem}" for problem in problems]


def _in_a_table(default: object) -> str:
    return "Empty" if default == "" else f"`{default if isinstance(default, str) else json.dumps(default)}`"


def named_in(text: str) -> dict[str, list[str]]:
    """What a README names whatever its language: sorted, except for what has an order."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```\w+\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {
        "headings": re.findall(r"^#+(?= )", text, re.MULTILINE),
        "commands and playbooks": [re.sub(r" +#.*", "", block) for block in blocks],
        "rows": re.findall(r"^\| `(\w+)` \|", prose, re.MULTILINE),
        "names": sorted(name for name in set(re.findall(r"`([^`]+)`", prose)) if not name.startswith("README")),
        "links": sorted(links_in(prose)),
        "numbers": sorted(re.findall(r"\d+(?:\.\d+)*", prose)),
    }


def in_the_words_of_the_field(check: Check) -> None:
    """What users read has none of the phrases that nobody in the field would write."""
    if problems := phrases.problems(check.collection):
        raise CheckFailed("\n".join(problems))


def links_in(text: str) -> list[str]:
    """Where the links and images of a Markdown text lead to: those in brackets, those that are defined elsewhere, and those that are HTML."""
    return [
        "".join(found) for found in re.findall(r"\]\(\s*<?([^)\s>]*)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)|\b(?:href|src)=[\"']?([^\s\"'>]+)", text, re.MULTILINE)
    ]


def sanity(check: Check) -> None:
    """All of ansible-test's sanity tests, with every Python of this machine that they know; "import", the longest, with the oldest of them and with this one.

    `make test-matrix` runs it with all of them.
    """
    run = functools.partial(run_ansible_test, check, Path(sys.prefix), cache() / "ansible-test", "sanity", folder=published(check))
    run("--skip-test", "import")
    if not pythons():
        raise CheckFailed("no Python of this machine has ensurepip, ssl and venv: install python3-venv")
    for version in sorted(pythons().keys() & {next(iter(pythons())), f"3.{sys.version_info.minor}"}):
        run("--test", "import", "--python", version)


def published(check: Check) -> Path:
    """A copy of what the built collection holds. ansible-test sees it as Galaxy's importer does; the rest has `ruff` and `mypy`."""
    collections = check.workspace / "published" / "ansible_collections"
    # The build makes a file with the version of galaxy.yml.
    for name in ("galaxy.yml", *filter(belongs, known_files())):
        target = collections / "modelops" / "openshift_ai" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(check.collection / name, target, follow_symlinks=False)
    (collections / "kubernetes").symlink_to(check.workspace / "ansible_collections" / "kubernetes")
    # Python runs it at its start, in tests that look for imports here. Without it, pylint searches for garbage for a third of its time.
    (collections.parent / "sitecustomize.py").write_text("import gc\n\ngc.set_threshold(200_000)\n")
    return collections / "modelops" / "openshift_ai"


def run_ansible_test(check: Check, venv: Path, home: Path, *arguments: str, folder: Path | None = None) -> str:
    """What a command of the ansible-test in a virtual environment prints, in the copy of the checkout or another folder.

    It makes itself a virtual environment for each test and Python, below a home that is kept.
    """
    home.mkdir(exist_ok=True)
    with _locked(home / "lock", check):
        _offer_pip(home, venv)
        (home / ".config" / "pip").mkdir(parents=True, exist_ok=True)
        _save_pip_settings(home / ".config" / "pip" / "pip.conf")
        with tempfile.TemporaryDirectory() as programs:
            for version, program in pythons().items():
                Path(programs, f"python{version}").symlink_to(program)
            path = os.pathsep.join([str(venv / "bin"), programs, os.environ["PATH"]])
            return check.run("ansible-test", *arguments, "--color", "no", folder=folder, HOME=str(home), PATH=path)


@contextlib.contextmanager
def _locked(path: Path, check: Check) -> Iterator[None]:
    with path.open("w") as lock:
        check.last_line = "waiting for the ansible-test of another checkout"
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _offer_pip(home: Path, venv: Path) -> None:
    """Put pip, as Python itself brings it, where ansible-test looks before it downloads a get-pip.py from a host that may be out of reach."""
    sources = list(venv.glob("lib/python3*/site-packages/ansible_test/_internal/python_requirements.py"))
    if not sources:
        raise CheckFailed("ansible-test is not installed for this Python; run `make lint`")
    downloads = home / ".ansible" / "test" / "cache"
    downloads.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"\bpip='([\d.]+)'", sources[0].read_text()):
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


@functools.cache
def pythons() -> dict[str, Path]:
    """The Pythons of this machine from 3.9 on, by version: in pyenv, on PATH, and those that tests/matrix.py put into the cache.

    Pyenv has programs for all versions that it installed on PATH, whether it uses them or not: those that do not run do not count.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*sorted(pyenv.glob("versions/3.*/bin")), *map(Path, os.environ["PATH"].split(os.pathsep)), *sorted(cache().glob("interpreter-*/bin"))]
    found: dict[str, Path] = {}
    for program in (program for folder in folders for program in sorted(folder.glob("python3.*"))):
        version = program.name.removeprefix("python")
        if re.fullmatch(r"3\.(9|[1-9]\d)", version) and version not in found and _runs(program):
            found[version] = program.resolve()
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition(".")[2])))


def _runs(program: Path) -> bool:
    return subprocess.run([program, "-c", "import ensurepip, ssl, venv"], capture_output=True, check=False).returncode == 0


CHECKS: dict[str, Callable[[Check], object]] = {
    # The longest first: the others run beside it.
    "ansible-test sanity": sanity,
    "ansible-lint": lambda check: check.run("ansible-lint", "--offline", "--strict", "--nocolor", PATH=warm.shell(os.environ)["PATH"]),
    "mypy": lambda check: check.run("mypy", "--cache-dir", str(cache() / "mypy")),
    "ruff format": lambda check: check.run("ruff", "format", "--no-cache", "--check", "."),
    "ruff check": lambda check: check.run("ruff", "check", "--no-cache", "."),
    "yamllint": lambda check: check.run("yamllint", "--strict", "."),
    "antsibull-changelog": changelog,
    "antsibull-docs": lambda check: check.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "."),
    "build": build,
    "attributes": attributes,
    "imports": imports,
    "import-linter": lambda check: check.run("lint-imports", "--no-logo", "--no-cache", PYTHONPATH=str(check.workspace)),
    "READMEs": readmes,
    "words": in_the_words_of_the_field,
    "site": lambda check: check.run(sys.executable, "docs/build.py", str(check.workspace / "site")),
}


def _kubernetes_core() -> Path:
    for found in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        if (folder := Path(found, "ansible_collections", "kubernetes", "core")).is_dir():
            return folder
    raise SystemExit("kubernetes.core is not in ANSIBLE_COLLECTIONS_PATH; run `make lint`, or see CONTRIBUTING.md")


def known_files() -> list[str]:
    """The files of the checkout that git knows or would add."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and os.path.lexists(ROOT / name)]


def copy_of_the_checkout(workspace: Path, kubernetes_core: Path) -> None:
    """The collection in a tree as Ansible wants it, with kubernetes.core beside it."""
    collections = workspace / "ansible_collections"
    shutil.copytree(kubernetes_core, collections / "kubernetes" / "core")
    copy_known_files(collections / "modelops" / "openshift_ai")


def copy_known_files(folder: Path) -> None:
    """The files of the checkout that git knows or would add, in a folder."""
    for name in known_files():
        target = folder / name
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

    def perform(number: int, name: str, look: Callable[[Check], object]) -> None:
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
        copy_of_the_checkout(workspace, _kubernetes_core())
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
