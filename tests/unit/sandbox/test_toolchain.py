"""What is expensive is made once, whoever else makes it at the same time and however often it was interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox import toolchain
from sandbox.layout import ROOT
from tests import run
from tests.generations import conftest

BUILDER = """
import os, sys, time
from pathlib import Path
from sandbox import toolchain

def build(folder):
    Path(os.environ["TRACE"]).open("a").write("built\\n")
    (folder / "half").touch()
    time.sleep(float(sys.argv[1]))
    (folder / "whole").touch()

print(toolchain.build_once("thing", "making a thing", build))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "SANDBOX_CACHE": str(tmp_path / "cache"), "TRACE": str(tmp_path / "trace"), "PYTHONPATH": str(ROOT)}


def build(environment: dict[str, str], seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", BUILDER, str(seconds)], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def builds(environment: dict[str, str]) -> int:
    trace = Path(environment["TRACE"])
    return len(trace.read_text().splitlines()) if trace.exists() else 0


def wait_for_first_build(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while not builds(environment):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_at_the_same_time_make_it_once(environment):
    first, second = build(environment, 1), build(environment, 1)
    outputs = [process.communicate(timeout=60) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    assert outputs[0][0] == outputs[1][0]
    assert builds(environment) == 1
    assert Path(outputs[0][0].strip(), "whole").exists()
    assert sum("waiting for it" in errors for _output, errors in outputs) == 1
    assert sum("done in 1 s: making a thing" in errors for _output, errors in outputs) == 1


def test_one_that_was_killed_half_way_is_made_again(environment):
    killed = build(environment, 60)
    wait_for_first_build(environment)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = build(environment, 0)
    output, _errors = again.communicate(timeout=60)
    assert again.returncode == 0 and builds(environment) == 2
    assert Path(output.strip(), "whole").exists()


def test_without_root_the_exact_command_is_printed_and_nothing_is_done(tmp_path, monkeypatch):
    """A machine without MariaDB, and a user who may not become root."""
    programs = tmp_path / "bin"
    programs.mkdir()
    apt_get, sudo, trace = programs / "apt-get", programs / "sudo", tmp_path / "trace"
    apt_get.write_text(f"#!/bin/sh\necho apt-get >> {trace}\n")
    sudo.write_text("#!/bin/sh\nexit 1\n")
    for program in (apt_get, sudo):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(toolchain, "SYSTEM_PATHS", ())
    monkeypatch.setattr(toolchain, "mariadb_server", lambda: None)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(toolchain.ToolchainError, match="sudo apt-get install -y --no-install-recommends mariadb-server-core"):
        toolchain.install_packages()
    assert not trace.exists()


def test_programs_that_were_built_elsewhere_are_used_when_they_are_all_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_BIN", str(tmp_path))
    with pytest.raises(toolchain.ToolchainError, match="lacks etcd, kube-apiserver"):
        toolchain.control_plane()
    for name in toolchain.CONTROL_PLANE:
        (tmp_path / name).touch()
    assert toolchain.control_plane() == tmp_path


def test_kubectl_is_taken_from_programs_that_were_built_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_BIN", str(tmp_path))
    (tmp_path / "kubectl").touch()
    assert toolchain.kubectl() == tmp_path


def test_packages_are_weighed_by_their_sources_whatever_is_said_of_downloads(tmp_path):
    (tmp_path / "a.go").write_text("x" * 100)
    (tmp_path / "b.go").write_text("x" * 60)
    listed = f"go: downloading k8s.io/api v0.36.3\nk8s.io/api\t{tmp_path}\ta.go\tb.go\nfmt\t{tmp_path}\tb.go\nunsafe\t{tmp_path}\t\n"
    assert toolchain.sizes_of_packages(listed) == {"k8s.io/api": 160, "fmt": 30, "unsafe": 0}


@pytest.mark.parametrize(
    ("done", "seconds", "said"), [(0, 1, "0 % done"), (0.25, 120, "25 % done, about 6 min left"), (0.9, 300, "90 % done, about a minute left")]
)
def test_a_build_says_how_long_it_will_take(done, seconds, said):
    assert toolchain.progress_of_build(done, seconds) == f"compiling the control plane: {said}"


@pytest.fixture
def without_mysql(tmp_path, monkeypatch):
    """A machine whose apt finds no MySQL; the file tells how often it was asked."""
    programs, trace = tmp_path / "bin", tmp_path / "trace"
    programs.mkdir()
    for name, action in (("apt-get", f"echo $1 >> {trace}; echo E: no such suite; exit 100"), ("dpkg-deb", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{action}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    return trace


def test_where_mysql_cannot_be_had_it_is_said_and_not_tried_again_at_once(without_mysql, tmp_path, capfd):
    # One without its clients, which an earlier version has fetched.
    (tmp_path / "cache" / "mysql-9.7.0").mkdir(parents=True)
    (tmp_path / "cache" / "mysql-9.7.0" / ".complete").touch()
    for _attempt in range(2):
        assert toolchain.mysql() is None
        assert "MySQL is not to be had on this machine, MariaDB serves alone: E: no such suite" in capfd.readouterr().err
    assert len(without_mysql.read_text().splitlines()) == 1


def test_the_support_matrix_names_the_major_version_of_mysql_that_is_used():
    matrix = (toolchain.ROOT / "docs" / "docsite" / "rst" / "support_matrix.rst").read_text()
    assert re.search(rf"\* - MySQL\n     - {toolchain.MYSQL_MAJOR}\.", matrix)


def test_a_major_version_of_mysql_that_was_not_tried_is_not_used(without_mysql, tmp_path, capfd):
    places = f"echo {tmp_path} stable main"
    fetched = "for option; do case $option in Dir::Cache::archives=*) touch ${option#*=}/mysql-server-core_10.1.0-1_amd64.deb;; esac; done"
    (tmp_path / "bin" / "apt-get").write_text(f"#!/bin/sh\nif [ $1 = indextargets ]; then {places}; else {fetched}; fi\n")
    (tmp_path / "cache" / "mysql-10.0.1").mkdir(parents=True)
    (tmp_path / "cache" / "mysql-10.0.1" / ".complete").touch()
    assert toolchain.mysql() is None
    assert "MariaDB serves alone: the suite has MySQL 10.1.0-1, and the support matrix names only MySQL 9" in capfd.readouterr().err


@pytest.mark.usefixtures("without_mysql")
# Only ansible-test sets the variable, in an environment with the requirements of the unit tests alone. `make test` runs this test.
@pytest.mark.skipif("PYTEST_PLUGINS" in os.environ, reason="ansible-test has not what the integration tests import")
def test_tests_that_need_mysql_are_listed_where_there_is_none():
    left_out = run.not_run()["need MySQL"]
    assert "tests/integration/test_sandbox_databases.py::test_servers_are_small_and_unprivileged[mysql-260]" in left_out
    assert "tests/integration/test_sandbox_databases.py::test_dirty_database_stays_dirty[mysql]" not in left_out


def test_nothing_is_listed_where_there_is_mysql(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path))
    (tmp_path / "mysql-9.7.0" / "bin").mkdir(parents=True)
    (tmp_path / "mysql-9.7.0" / ".complete").touch()
    assert toolchain.mysql() == tmp_path / "mysql-9.7.0"
    monkeypatch.setenv("SANDBOX_REGISTRY_SERVER", "/bin/true")
    assert run.not_run() == {}


@pytest.mark.parametrize(
    ("settings", "own", "is_taken"),
    [
        ("'--enable-shared'", 'echo "3.99 (own)"', True),
        ("'--enable-shared' '--enable-optimizations'", 'echo "3.99 (own)"', False),
        ("'--enable-shared'", "exit 1", False),
        ("'--enable-shared'", None, False),
    ],
    ids=["slow", "fast", "unusable", "missing"],
)
def test_a_slow_python_is_replaced_by_that_of_the_distribution(tmp_path, monkeypatch, settings, own, is_taken):
    """The environment is made by a Python that needs less time for everything, where there is one of the same version."""
    program = tmp_path / f"python3.{sys.version_info.minor}"
    if own:
        program.write_text(f"#!/bin/sh\n{own}\n")
        program.chmod(0o700)
    monkeypatch.setattr(toolchain, "DISTRIBUTION", tmp_path)
    monkeypatch.setattr(toolchain.sysconfig, "get_config_var", lambda _name: settings)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    python, version = toolchain.python_for_tools()
    assert (python, version.strip()) == ((program, "3.99 (own)") if is_taken else (Path(sys.executable), sys.version))


@pytest.mark.parametrize("beside", ["lane", "generation"])
def test_every_lane_runs_the_programs_of_the_product_where_they_are_given(tmp_path, monkeypatch, beside):
    """The generations are of other products, which those programs are not."""
    seen = []
    monkeypatch.setenv("SANDBOX_OPERATOR", "/bin/true")
    monkeypatch.setattr(conftest, "_remove", lambda _folder: None)
    monkeypatch.setattr(conftest.shutil, "copy2", lambda *_arguments: None)

    def ran(command, **options):
        if "sandbox" in command:
            seen.append(options["env"].get("SANDBOX_OPERATOR"))
        return SimpleNamespace(returncode=0, stdout="")

    monkeypatch.setattr(conftest.subprocess, "run", ran)
    monkeypatch.setattr(run, "folder_for", lambda _name: tmp_path)
    if beside == "lane":
        monkeypatch.setattr(run, "files_of", lambda _lane, _lanes: [])
        assert run.lane_beside(1, 2)
    else:
        with conftest.sandbox_of_a_copy(tmp_path, "2.25", "openshift"):
            pass
    assert seen == ["/bin/true" if beside == "lane" else None] * 2
