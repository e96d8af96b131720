"""What is too long for `make test`: every ansible-core with every Python, and the tools of Red Hat's certification.

    python -m sandbox.toolchain python tests/matrix.py [NAME...]     all parts, or those whose name contains one of the words

It runs what this machine has. What it did not run is listed at the end with the reason, and does not count as passed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from sandbox import databases, lifecycle
from sandbox.layout import ROOT, Layout
from sandbox.toolchain import build_once
from tests import checks, fleet, hostile
from tests.checks import OLDEST_PYTHON, Check, CheckFailed
from tests.helpers import Cluster

# Python 3.14 for a machine that has none and Maven: bin/, lib/ and the libraries that it needs, in an archive.
INTERPRETER = "org.bytedeco:cpython:3.14.3-1.5.13:jar:linux-x86_64"
CERTIFICATION = ("ansible-builder==3.2.0", "ansible-core==2.19.14", "ansible-lint==26.10.1", "galaxy-importer==0.4.44", "molecule==26.10.0")
PLAYBOOKS = "extensions/molecule/playbooks"


@dataclass(frozen=True)
class Core:
    """An ansible-core, the release of the package `ansible` whose kubernetes.core is used with it, and the Pythons 3.x that it runs on itself."""

    version: str
    bundle: str
    controllers: range

    def __str__(self) -> str:
        return ".".join(self.version.split(".")[:2])

    @property
    def pythons(self) -> list[str]:
        """All Pythons that run modules of ours with this ansible-core."""
        return [f"3.{minor}" for minor in range(OLDEST_PYTHON, self.controllers.stop)]


CORES = (
    Core("2.16.19", "11.13.0", range(10, 13)),
    Core("2.18.19", "11.13.0", range(11, 14)),
    Core("2.19.14", "12.3.0", range(11, 14)),
    Core("2.20.10", "13.8.0", range(12, 15)),
    Core("2.21.5", "14.5.0", range(12, 15)),
)
# The oldest that meta/runtime.yml and galaxy.yml allow; kubernetes.core 5.0.0 is in this bundle.
OLDEST = Core("2.16.0", "11.0.0", range(10, 12))


class NotRun(Exception):
    """This machine lacks what a part needs; the message says what."""


@dataclass(frozen=True)
class Outcome:
    """What a part that passed has run, and what of it this machine could not."""

    ran: str
    not_run: str = ""


@dataclass(frozen=True)
class Line:
    """One line of the table at the end."""

    name: str
    result: str
    text: str


Part = Callable[[Check], Outcome]

# Whose password is changed in the database.
DATABASE_LOGIN = databases.TLS_ONLY
ROTATED_PASSWORD = "rotated-word-4712"
# What an export holds, and a check finds, is of the whole sandbox.
ALONE_ON_THE_SANDBOX = threading.Lock()


# Pythons and packages


def fetch_interpreter() -> None:
    """Put Python 3.14 into the cache when this machine has none but Maven."""
    if "3.14" in checks.pythons() or not shutil.which("mvn") or os.uname().machine != "x86_64":
        return

    def build(folder: Path) -> None:
        group, name, version, kind, classifier = INTERPRETER.split(":")
        _install("mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={INTERPRETER}", f"-DoutputDirectory={folder}")
        archive = folder / f"{name}-{version}-{classifier}.{kind}"
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder)
        archive.unlink()
        for part in folder.joinpath(*group.split("."), name, classifier).iterdir():
            part.rename(folder / part.name)
        (folder / "bin" / "python3.14").chmod(0o755)

    try:
        build_once(f"interpreter-{_key(INTERPRETER)}", f"fetching Python 3.14 ({INTERPRETER})", build)
    except CheckFailed as error:
        print(f"Maven does not bring Python 3.14: {error}", flush=True)
    checks.pythons.cache_clear()


def python_for(core: Core) -> str:
    """The newest Python of this machine that this ansible-core runs on."""
    usable = [f"3.{minor}" for minor in core.controllers]
    if not (found := [version for version in usable if version in checks.pythons()]):
        raise NotRun(f"it runs on Python {', '.join(usable)}, and this machine has {', '.join(checks.pythons())}")
    return found[-1]


def environment(what: str, python: Path, *packages: str) -> Path:
    """A virtual environment with these packages, made once."""

    def build(folder: Path) -> None:
        _install(str(python), "-m", "venv", str(folder))
        _install(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)

    return build_once(f"matrix-{_key(str(python), *packages)}", f"installing {what}", build)


def kubernetes_core(bundle: str) -> Path:
    """The kubernetes.core of a release of the package `ansible`, which is where it can be had without Galaxy."""

    def build(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as download:
            arguments = ("--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-requires-python", "--dest", download, f"ansible=={bundle}")
            _install(sys.executable, "-m", "pip", "download", *arguments)
            [wheel] = Path(download).glob("*.whl")
            with zipfile.ZipFile(wheel) as content:
                content.extractall(folder, [name for name in content.namelist() if name.startswith("ansible_collections/kubernetes/core/")])

    return build_once(f"collections-{_key(bundle)}", f"fetching kubernetes.core (from ansible {bundle})", build) / "ansible_collections" / "kubernetes" / "core"


def _install(*command: str) -> None:
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise CheckFailed(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _version(folder: Path) -> str:
    """The version of an unpacked collection."""
    return str(json.loads((folder / "MANIFEST.json").read_text())["collection_info"]["version"])


def requirements() -> list[str]:
    """The lines of requirements.txt."""
    return [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]


# The parts


def sanity(core: Core, check: Check) -> Outcome:
    """ansible-test sanity of one ansible-core, without a list of ignored findings."""
    python = python_for(core)
    venv = environment(f"ansible-core {core.version} on Python {python}", checks.pythons()[python], f"ansible-core=={core.version}")
    checks.copy_of_the_checkout(check.workspace, kubernetes_core(core.bundle))
    if ignored := list((check.collection / "tests" / "sanity").glob("ignore*")):
        raise CheckFailed(f"there is a list of ignored findings: {ignored[0].name}")
    printed = checks.run_ansible_test(check, venv, checks.cache() / f"ansible-test-{core}", "sanity", folder=checks.published(check))
    has = [version for version in core.pythons if version in checks.pythons()]
    lacks = [f"Python {version}: not on this machine" for version in core.pythons if version not in has]
    skipped = sorted({line.strip() for line in re.findall(r"Skipping (?:sanity )?test.*", printed) if not re.search(r"on Python 3\.\d+ .*not supported", line)})
    return Outcome(f"on Python {python}, for modules on {', '.join(has)}", "; ".join(lacks + skipped))


def other_commands_of_ansible_test(check: Check) -> Outcome:
    """The unit tests, those of modules on the oldest Python too, and a target of the integration tests, as they are run in other collections."""
    checks.copy_of_the_checkout(check.workspace, kubernetes_core(CORES[2].bundle))
    home, oldest = checks.cache() / "ansible-test", f"3.{OLDEST_PYTHON}"
    run = partial(checks.run_ansible_test, check, Path(sys.prefix), home)
    versions = [version for version in (oldest, f"3.{sys.version_info.minor}") if version in checks.pythons()]
    for version in versions:
        run("units", "--venv", "--python", version)
    # The sandbox's parts are not built again for another home.
    (home / ".cache").mkdir(exist_ok=True)
    link = home / ".cache" / "modelops-openshift-ai"
    if not link.is_symlink():
        link.symlink_to(checks.cache())
    target = "model_registry_component"
    run("integration", target)
    return Outcome(f"units on Python {', '.join(versions)}, target {target}", "" if oldest in versions else f"Python {oldest}: not on this machine")


def controller(core: Core, packages: Sequence[str], check: Check) -> tuple[Path, dict[str, str], Layout]:
    """An environment with this ansible-core, what its playbooks need to find the sandbox, and the sandbox."""
    python = python_for(core)
    with_packages = (f"ansible-core=={core.version}", *packages)
    venv = environment(f"ansible-core {core.version} and packages on Python {python}", checks.pythons()[python], *with_packages)
    checks.copy_of_the_checkout(check.workspace, kubernetes_core(core.bundle))
    layout = lifecycle.running()
    if not layout:
        raise CheckFailed("the sandbox does not run")
    kubeconfig = lifecycle.shell_variables(layout)["K8S_AUTH_KUBECONFIG"]
    path = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    # The library `kubernetes` of some of them takes this proxy, where there is none, and not which servers are to be reached without it.
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.0/8"}
    return venv, {"PATH": path, "ANSIBLE_NOCOLOR": "1", "K8S_AUTH_KUBECONFIG": kubeconfig, **proxy}, layout


def hostile_texts(core: Core, packages: Sequence[str], check: Check) -> Outcome:
    """Nothing of a text in the cluster is run, whatever it looks like: registries with such texts are exported, converged, checked and reported."""
    _environment, variables, layout = controller(core, packages, check)
    inventory = check.workspace / "inventory" / "hosts.json"
    inventory.parent.mkdir()
    inventory.write_text(json.dumps({"all": {"hosts": {"sandbox": None}}}))
    prefix, cluster = f"hostile-{core.version.replace('.', '-')}", Cluster(layout)

    def run(playbook: str, *options: str, **given: object) -> str:
        extra = ["--extra-vars", json.dumps(given)] if given else []
        try:
            return check.run("ansible-playbook", "--inventory", str(inventory), f"modelops.openshift_ai.{playbook}", *options, *extra, **variables)
        except CheckFailed as failed:
            # What is found by a check fails it.
            return str(failed)

    try:
        planted = hostile.plant(cluster, prefix, check.workspace / "canary")
        planted.assert_inert(run, inventory.parent / "host_vars" / "sandbox" / "model_registries.yml", check.workspace / "page.html")
    except AssertionError as error:
        raise CheckFailed(str(error)) from None
    finally:
        fleet.remove(cluster, prefix)
    return Outcome(f"ansible-core {core.version}, {len(planted.texts)} registries and {len(hostile.texts(planted.canary))} subjects")


def life(core: Core, packages: Sequence[str], check: Check) -> Outcome:
    """The life of a registry on the sandbox: the playbooks of the molecule scenarios, modules on the controller's Python and on the oldest; ours after them."""
    python = python_for(core)
    venv, variables, layout = controller(core, packages, check)
    own = venv / "bin" / "python"
    interpreters = {python: own}
    oldest = f"3.{OLDEST_PYTHON}"
    if oldest in checks.pythons():
        interpreters[oldest] = environment(f"packages for modules on Python {oldest}", checks.pythons()[oldest], *packages) / "bin" / "python"
    registry = f"matrix-{core.version.replace('.', '-')}"
    database = {
        "type": "mysql",
        "host": "mysql",
        "namespace": "data",
        "name": f"registry_{30 + int(core.version.split('.')[1]) % 16}",
        "ca": {"source": "cluster"},
    }
    login_to_database = {"username": DATABASE_LOGIN.name, "password": DATABASE_LOGIN.password}
    given = {"registry": registry, "database": database | login_to_database}

    def play(interpreter: Path, name: str, *options: str) -> str:
        host = {"ansible_connection": "local", "ansible_python_interpreter": str(interpreter), "model_registry_python": str(interpreter), **given}
        inventory = check.workspace / "inventory" / "hosts.json"
        inventory.parent.mkdir(exist_ok=True)
        inventory.write_text(json.dumps({"clusters": {"hosts": {"sandbox": host}}}))
        playbook = name if "." in name else f"{PLAYBOOKS}/{name}.yml"
        return check.run("ansible-playbook", "--inventory", str(inventory), playbook, *options, **variables)

    try:
        for number, interpreter in enumerate(interpreters.values()):
            _need_change(play(interpreter, "converge"), number == 0)
            play(interpreter, "verify")
        _need_change(play(own, "converge"), False)
        _play_all(partial(play, own), registry, check.workspace, layout)
    finally:
        databases.set_password(layout, "mysql", DATABASE_LOGIN.name, DATABASE_LOGIN.password)
        play(own, "cleanup")
    missing = "" if oldest in interpreters else f"modules on Python {oldest}: not on this machine"
    fitting = f"kubernetes.core {_version(check.workspace / 'ansible_collections' / 'kubernetes' / 'core')}"
    return Outcome(f"ansible-core {core.version}, {fitting}, modules on Python {', '.join(interpreters)}, the playbooks", missing)


def _play_all(play: Callable[..., str], registry: str, folder: Path, layout: Layout) -> None:
    """The collection's playbooks on this registry, from its export to its deletion."""
    page, exported = folder / "report.html", folder / "inventory" / "host_vars" / "sandbox" / "model_registries.yml"

    def run(playbook: str, *options: str, **variables: object) -> str:
        return play(f"modelops.openshift_ai.{playbook}", *options, *(["--extra-vars", json.dumps(variables)] if variables else []))

    run("enable")
    run("export")
    listed = yaml.safe_load(exported.read_text())["model_registries_list"]
    if [entry["name"] for entry in listed] != [registry]:
        raise CheckFailed(f"the export does not hold the registry alone:\n{exported.read_text()}")
    _need_change(run("converge"), False)
    _need_change(run("registry", model_registry_name=registry, model_registry_description="Edited"), True)
    run("report", model_registry_report_file=str(page))
    if registry not in page.read_text():
        raise CheckFailed("the page does not hold the registry")
    try:
        run("check")
    except CheckFailed as drift:
        if "description" not in str(drift):
            raise
    else:
        raise CheckFailed("the playbook check does not see that a description was edited")
    for options, changes in ((("--check",), True), ((), True), ((), False)):
        _need_change(run("converge", *options), changes)
    run("check")
    bundles = [layout.path("pki", f"{authority}.crt").read_text() for authority in ("database-ca", "other-ca")]
    _need_change(run("registry", model_registry_name=registry, model_registry_ca_source="upload", model_registry_ca_pem=bundles[0]), True)
    databases.set_password(layout, "mysql", DATABASE_LOGIN.name, ROTATED_PASSWORD)
    for options, changes in ((("--check",), True), ((), True), ((), False)):
        _need_change(run("rotate_password", *options, model_registry_name=registry, model_registry_database_password=ROTATED_PASSWORD), changes)
        _need_change(run("rotate_ca", *options, model_registry_name=registry, model_registry_ca_pem="".join(bundles)), changes)
    permissions = {"groups": ["matrix"], "exclusive": True}
    _need_change(run("permissions", model_registry_name=registry, model_registry_permissions=permissions), True)
    _need_change(run("delete", model_registry_name=registry, model_registry_delete_confirm=registry), True)


def _need_change(printed: str, wanted: bool) -> None:
    """CheckFailed unless the play that printed this changed something, or did not, as it is wanted."""
    if (" changed=0 " not in printed) is not wanted:
        raise CheckFailed(f"{'something' if wanted else 'nothing'} was to be changed:\n{printed}")


def _certification_tools() -> Path:
    """On the Python that this runs on, because the sandbox that a scenario starts would be installed again for another one."""
    return environment("the tools of certification", Path(sys.executable).resolve(), *CERTIFICATION, *requirements())


def _built(check: Check, tools: Path) -> Path:
    """The built collection."""
    checks.copy_of_the_checkout(check.workspace, kubernetes_core(CORES[2].bundle))
    check.run(str(tools / "bin" / "ansible-galaxy"), "collection", "build", "--output-path", str(check.workspace))
    [artifact] = check.workspace.glob("*.tar.gz")
    return artifact


def galaxy_importer(check: Check) -> Outcome:
    """Galaxy's importer takes the built collection without an error or a warning."""
    tools = _certification_tools()
    artifact = _built(check, tools)
    path = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"
    printed = check.run(str(tools / "bin" / "python"), "-m", "galaxy_importer.main", str(artifact), PATH=path)
    if found := [line for line in printed.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)\b", line)]:
        raise CheckFailed("\n".join(found))
    return Outcome(f"galaxy-importer says nothing against {artifact.name}")


def execution_environment(check: Check) -> Outcome:
    """ansible-builder takes the definition, and what it would install is all that the collection imports."""
    tools = _certification_tools()
    artifact = _built(check, tools)
    shutil.copy(artifact, check.collection)
    context, installed, pip = check.workspace / "context", check.workspace / "installed", check.workspace / "pip.txt"
    check.run(str(tools / "bin" / "ansible-builder"), "create", "--context", str(context))
    collections = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    [ours] = [entry["name"] for entry in collections if entry.get("type") == "file"]
    galaxy = (str(tools / "bin" / "ansible-galaxy"), "collection", "install", "--force", "--offline", "--no-deps", "--collections-path", str(installed))
    check.run(*galaxy, str(context / "_build" / ours))
    printed = check.run(str(tools / "bin" / "ansible-builder"), "introspect", "--write-pip", str(pip), str(installed))
    if "system: []" not in printed:
        raise CheckFailed(f"bindep.txt names packages, which the wheels of requirements.txt do without:\n{printed}")
    shutil.copytree(check.workspace / "ansible_collections" / "kubernetes", installed / "ansible_collections" / "kubernetes")
    python = python_for(CORES[-1])
    venv = check.workspace / "venv"
    check.run(str(checks.pythons()[python]), "-m", "venv", str(venv))
    # Wheels only: there is no compiler in it.
    install = (str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
    check.run(*install, f"ansible-core=={CORES[-1].version}", "--requirement", str(pip))
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    imported = check.run(str(venv / "bin" / "python"), str(ROOT / "tests" / "imports.py"), str(installed), **variables)
    modules = sorted(f"modelops.openshift_ai.{path.stem}" for path in (check.collection / "plugins" / "modules").glob("*.py"))
    shown = json.loads(check.run("ansible-doc", "--json", "--type", "module", *modules, **variables))
    if missing := set(modules) - set(shown):
        raise CheckFailed(f"ansible-doc does not show {', '.join(sorted(missing))}")
    return Outcome(f"{imported.strip()} on Python {python}, {len(modules)} modules shown", "building the image, which needs podman or docker")


def molecule(scenario: str, check: Check) -> Outcome:
    """A molecule scenario; that for a real cluster gets the sandbox as one."""
    tools = _certification_tools()
    layout = lifecycle.running()
    if not layout:
        raise CheckFailed("the sandbox does not run")
    variables = lifecycle.shell_variables(layout)
    environment = {name: variables[name] for name in ("ANSIBLE_COLLECTIONS_PATH", "KUBECONFIG")} | {"PATH": f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        ["molecule", "test", "--scenario-name", scenario],
        cwd=ROOT,
        env=clean | environment | {"NO_COLOR": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    check.last_line = done.stdout.strip().splitlines()[-1]
    if done.returncode:
        raise CheckFailed(done.stdout)
    return Outcome(f"`molecule test -s {scenario}` on the sandbox")


PARTS: dict[str, Part] = {
    **{f"sanity {core}": partial(sanity, core) for core in CORES},
    "ansible-test": other_commands_of_ansible_test,
    "galaxy-importer": galaxy_importer,
    "execution environment": execution_environment,
}
ON_THE_SANDBOX: dict[str, Part] = {
    **{f"hostile texts {core}": partial(hostile_texts, core, requirements()) for core in CORES},
    **{f"registry {core}": partial(life, core, requirements()) for core in CORES},
    "registry oldest": partial(life, OLDEST, [line.replace(">=", "==") for line in requirements() if not line.startswith("PyYAML")]),
    "molecule default": partial(molecule, "default"),
    "molecule cluster": partial(molecule, "cluster"),
}


def perform(name: str, part: Part) -> Line:
    """Run one part in a workspace of its own, and say how it ended."""
    print(f"{name} …", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        try:
            with ALONE_ON_THE_SANDBOX if name in ON_THE_SANDBOX else contextlib.nullcontext():
                outcome = part(Check(name.replace(" ", "-"), lambda _check: None, Path(folder).resolve()))
            line = Line(name, "passed", outcome.ran + (f". Not run: {outcome.not_run}" if outcome.not_run else ""))
        except NotRun as reason:
            line = Line(name, "NOT RUN", str(reason))
        except Exception as error:
            print(f"{name}: {error if isinstance(error, CheckFailed) else repr(error)}", flush=True)
            line = Line(name, "FAILED", "see above")
    print(f"{name}: {line.result} after {time.monotonic() - started:.0f} s", flush=True)
    return line


def main(words: list[str]) -> int:
    chosen = {name: part for name, part in (PARTS | ON_THE_SANDBOX).items() if not words or any(word in name for word in words)}
    if not chosen:
        print(f"there is no such part; there are: {', '.join(PARTS | ON_THE_SANDBOX)}", file=sys.stderr)
        return 2
    fetch_interpreter()
    print(f"Pythons of this machine: {', '.join(checks.pythons())}", flush=True)
    found = lifecycle.running()
    on_sandbox = [name for name in chosen if name in ON_THE_SANDBOX]
    try:
        if on_sandbox and not found:
            lifecycle.up("3.x", "openshift")
        with ThreadPoolExecutor(checks.AT_THE_SAME_TIME) as pool:
            lines = list(pool.map(perform, chosen, chosen.values()))
    finally:
        if on_sandbox and not found:
            lifecycle.down()
    print()
    for line in lines:
        print(f"{line.name:24} {line.result:8} {line.text}")
    count = {result: sum(line.result == result for line in lines) for result in ("passed", "FAILED", "NOT RUN")}
    print(f"\n{count['passed']} passed, {count['FAILED']} failed, {count['NOT RUN']} not run")
    return 1 if count["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
