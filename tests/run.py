"""All tests: the checks and unit tests, and beside them all that needs a sandbox, in lanes: each has sandboxes of its own, and waits for half of its time.

python -m sandbox.toolchain python tests/run.py [unit | lint | integration | generations | FILE of tests/integration | changed [BRANCH]]
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sandbox import lifecycle, toolchain
from sandbox.layout import ROOT
from sandbox.operator import real
from tests import changed, checks, golden
from tests.generations.conftest import folder_for, sandbox_of_a_copy

# The tests of the first lane run on the sandbox of the checkout, those of the others on sandboxes of copies. Files that no lane names are in the first.
# They take equally long side by side.
LANES = (
    (),
    ("test_closing.py", "test_first_mistakes.py", "test_model_catalog.py", "test_model_registries.py", "test_model_registry.py", "test_model_registry_ca.py"),
    ("test_given_up_last.py", "test_missing.py", "test_rbac.py", "test_report_page.py"),
    ("test_aap.py", "test_beside_other_tools.py", "test_broken_answers.py", "test_examples.py", "test_registry_life.py"),
    (
        "test_backup.py",
        "test_catalog_interleavings.py",
        "test_database_info.py",
        "test_interleavings.py",
        "test_registry_reasons.py",
        "test_sandbox_[no]*.py",
    ),
    (
        "test_catalog_playbooks.py",
        "test_loader.py",
        "test_migrate.py",
        "test_model_registry_[ip]*.py",
        "test_model_registry_component.py",
        "test_move.py",
        "test_playbook_clusters.py",
        "test_report.py",
        "test_restore.py",
        "test_sandbox_[adfpr]*.py",
    ),
)
# With less memory, and beside other tests, there are only so many: each takes more than a gigabyte.
FEW_LANES = 3
# Most parts run at once, because each of them waits for a part of its time. What never waits begins when the generations have ended, and takes what the lanes
# leave, so that all end together.
NEVER_WAIT = ("lint", "unit")
BEHIND = 5
# A folder in memory: databases are made and removed there in half the time. With less memory or space than this they are on the disk.
IN_MEMORY = Path("/dev/shm")
FREE_SPACE, FREE_MEMORY = 6 * 2**30, 14 * 2**30
# Tests that start together would all find it free.
ONLY_ONE = IN_MEMORY / "modelops-tests.lock"
# They take seconds.
QUICK_CHECKS = ("mypy", "ruff", "import-linter", "words")


def step(what: str, *command: str) -> bool:
    """Run one part and say how long it took; whether it passed."""
    print(f"\n==> {what}", flush=True)
    started = time.monotonic()
    passed = subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode == 0
    return told(what, passed, started)


def told(what: str, passed: bool, started: float) -> bool:
    """Say how a part ended; whether it passed."""
    print(f"==> {what}: {'passed' if passed else 'FAILED'} after {time.monotonic() - started:.0f} s", flush=True)
    return passed


def kept(what: str, *command: str, niceness: int = 0) -> bool:
    """Like `step`, beside others: what is printed is kept until the end."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        run = ["nice", "-n", str(niceness), sys.executable, *command]
        passed = subprocess.run(run, cwd=ROOT, stdout=printed, stderr=subprocess.STDOUT, check=False).returncode == 0
        printed.seek(0)
        print(f"\n==> {what}\n{printed.read().decode(errors='replace')}", flush=True)
    return told(what, passed, started)


def number_of_lanes(has_memory: bool) -> int:
    """How many lanes there are this time: one where the product's own operator is in place of ours and can run only once on this machine."""
    if os.environ.get("SANDBOX_OPERATOR") and not real.apart_command():
        return 1
    return len(LANES) if has_memory else FEW_LANES


def files_of(lane: int, lanes: int) -> list[str]:
    """The integration tests of a lane of so many, as paths in the checkout."""
    folder = ROOT / "tests" / "integration"
    named = [{path for pattern in patterns for path in folder.glob(pattern)} for patterns in LANES]
    named[0] = set(folder.glob("test_*.py")).difference(*named)
    return sorted(str(path.relative_to(ROOT)) for path in set().union(*named[lane::lanes]))


def on_one_sandbox(files: Sequence[str]) -> bool:
    """A sandbox that runs already is used and left running: it belongs to whoever started it."""
    found = lifecycle.running()
    try:
        return step("sandbox", "-m", "sandbox", "up") and step("integration tests", "-m", "pytest", "-q", "--durations=5", *files)
    finally:
        if not found:
            step("end of the sandbox", "-m", "sandbox", "down")


def lane_beside(number: int, lanes: int) -> bool:
    """A lane on a sandbox of its own; what it prints is kept until its end."""
    started = time.monotonic()
    with sandbox_of_a_copy(folder_for(f"lane-{number}"), "3.x", "openshift", is_real=True) as sandbox, tempfile.TemporaryFile() as printed:
        passed = sandbox.pytest(printed, *files_of(number, lanes))
        printed.seek(0)
        print(f"\n==> integration tests, lane {number}\n{printed.read().decode(errors='replace')}", flush=True)
    return told(f"integration tests, lane {number}", passed, started)


def marked(marker: str) -> list[str]:
    """The integration tests with this marker. Only the files that name it are collected: that takes seconds for all."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "integration").glob("test_*.py") if marker in path.read_text())
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", marker, *files]
    return [line for line in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines() if "::" in line]


def not_run() -> dict[str, list[str]]:
    """The integration tests that are left out on this machine, by what they do."""
    left_out = {}
    if not toolchain.mysql():
        left_out["need MySQL"] = marked("needs_mysql")
    if not toolchain.java():
        left_out[f"run Event-Driven Ansible, which needs Java {toolchain.JAVA_MINIMUM}"] = marked("needs_java")
    if not toolchain.promtool():
        left_out["need promtool"] = marked("needs_promtool")
    if not os.environ.get("SANDBOX_REGISTRY_SERVER"):
        left_out["compare with the product's registry server, because SANDBOX_REGISTRY_SERVER names no program"] = marked("needs_registry_server")
    return left_out


def parts(names: Collection[str], lanes: int) -> list[tuple[str, Callable[[], bool]]]:
    """What runs side by side, in the order in which it starts, each with the name under which its result counts.

    The lane on the sandbox of the checkout prints while it runs. What the others print is kept until their end.
    """
    one = kept if len(names) > 1 else step
    behind = partial(kept, niceness=BEHIND) if len(names) > 1 else step
    # The integration tests build the site too, and look at it.
    looks = [name for name in checks.CHECKS if name != "site" or "integration" not in names]
    works = {
        "lint": [partial(behind, "lint and sanity", "tests/checks.py", *looks)],
        "unit": [partial(behind, "unit tests", "-m", "pytest", "-q", "tests/unit")],
        "integration": [partial(on_one_sandbox, files_of(0, lanes)), *(partial(lane_beside, number, lanes) for number in range(1, lanes))],
        # They start sandboxes of their own.
        "generations": [partial(one, "generations of the product", "-m", "pytest", "-q", "--durations=5", "tests/generations")],
    }
    return [(name, work) for name, of in works.items() if name in names for work in of]


def side_by_side(names: Collection[str], lanes: int) -> tuple[dict[str, bool], dict[str, list[str]]]:
    """Run these; whether all parts of each passed, and the integration tests that this machine leaves out."""
    works = parts(names, lanes)
    with ThreadPoolExecutor(len(works) + 1) as pool:
        running = [(name, pool.submit(work)) for name, work in works if name not in NEVER_WAIT]
        generations = [work for name, work in running if name == "generations"]

        def behind(work: Callable[[], bool]) -> bool:
            wait(generations)
            return work()

        running += [(name, pool.submit(behind, work)) for name, work in works if name in NEVER_WAIT]
        left_out = pool.submit(not_run) if "integration" in names else None
    return {name: all(work.result() for of, work in running if of == name) for name in names}, left_out.result() if left_out else {}


def of_changes(since: str) -> int:
    """For development: the checks that take seconds, and the tests that concern what was changed since a branch. The others may fail all the same."""
    files = changed.concerned(changed.changed_files(since))
    print("\n".join(files) or "no tests concern what was changed", flush=True)
    of = {folder: [file for file in files if file.startswith(f"tests/{folder}/")] for folder in ("unit", "integration", "generations")}
    passed = [step("lint", "tests/checks.py", *QUICK_CHECKS)]
    if of["unit"]:
        passed.append(step("unit tests", "-m", "pytest", "-q", *of["unit"]))
    if of["integration"]:
        passed.append(on_one_sandbox(of["integration"]))
    if of["generations"]:
        passed.append(step("generations of the product", "-m", "pytest", "-q", *of["generations"]))
    return 0 if all(passed) else 1


@contextlib.contextmanager
def memory() -> Iterator[bool]:
    """Whether this machine has the memory for all lanes and for the databases of all sandboxes, which are in memory then, not beside others."""
    found = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())
    is_enough = found and int(found[1]) * 1024 >= FREE_MEMORY and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= FREE_SPACE
    with contextlib.ExitStack() as until_the_end:
        is_ours = False
        if is_enough:
            with contextlib.suppress(OSError):
                fcntl.flock(until_the_end.enter_context(_file_of_all_users(ONLY_ONE)), fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_ours = True
                os.environ.setdefault("SANDBOX_DATA", str(IN_MEMORY))
        yield is_ours


def _file_of_all_users(path: Path) -> BinaryIO:
    """To be locked. Only its owner may open it for writing, or to make it where there is none."""
    with contextlib.suppress(FileExistsError):
        path.touch(0o644, exist_ok=False)
    return path.open("rb")


def main(names: list[str]) -> int:
    if names[:1] == ["changed"]:
        return of_changes(*names[1:] or ["main"])
    files = [f"tests/integration/{name}" for name in names if (ROOT / "tests" / "integration" / name).is_file()]
    if files and len(files) == len(names):
        return 0 if on_one_sandbox(files) else 1
    known = ["unit", "lint", "integration", "generations"]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    wanted = names or known
    try:
        # A page for people is tested in a browser.
        toolchain.install_packages(for_tests="integration" in wanted)
    except toolchain.ToolchainError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    with memory() as has_memory:
        results, left_out = side_by_side(wanted, number_of_lanes(has_memory))
    print()
    for name, passed in results.items():
        print(f"{name:12} {'passed' if passed else 'FAILED'}")
    if "integration" in results and not toolchain.mysql():
        print("\nMariaDB was in the place of MySQL in all tests, because this machine cannot have MySQL (why: see above)")
    if "integration" in results and not golden.files("*.yaml"):
        print(f"\nNOT RUN: the comparison with what the product's operator made, because there is no folder {golden.FOLDER} (SANDBOX_GOLDEN)")
    for why, tests in left_out.items():
        print(f"\nNOT RUN: {len(tests)} tests that {why}")
        print("\n".join(f"  NOT RUN {test}" for test in tests))
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
