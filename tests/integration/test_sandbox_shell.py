"""The shell of `. .sandbox/env`, and what a newcomer types in it: exactly what README and `make demo` say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sandbox import databases, demo
from sandbox.layout import ROOT, Layout
from sandbox.platform.router import PROXY_PORT
from tests.helpers import REGISTRIES, Cluster

ENVIRONMENT = ROOT / ".sandbox" / "env"


def shell(commands: str, home: Path, program: str = "bash") -> subprocess.CompletedProcess[str]:
    """Run commands in a shell that inherits nothing but what every login gives."""
    variables = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SANDBOX_CACHE": os.environ.get("SANDBOX_CACHE", "")}
    given = {name: value for name, value in variables.items() if value}
    return subprocess.run([program, "-euc", commands], cwd=home, env=given, text=True, capture_output=True, check=False, timeout=300)


class Elsewhere(BaseHTTPRequestHandler):
    """A server that has nothing to do with the cluster."""

    def do_GET(self) -> None:  # the library's name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from elsewhere")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a server on this machine that is no part of the sandbox."""
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_requests_to_other_hosts_go_where_they_would_go_without_the_sandbox(layout: Layout, elsewhere: int) -> None:
    connection = HTTPConnection(layout.address("router"), PROXY_PORT, timeout=20)
    connection.set_tunnel("127.0.0.1", elsewhere)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"from elsewhere"


def test_a_host_that_cannot_be_reached_is_named(layout: Layout) -> None:
    connection = HTTPConnection(layout.address("router"), PROXY_PORT, timeout=20)
    connection.set_tunnel("127.0.0.1", 1)
    with pytest.raises(OSError, match="502 Bad Gateway"):
        connection.request("GET", "/")


@pytest.mark.parametrize("program", [name for name in ("bash", "dash", "zsh") if shutil.which(name)])
def test_a_shell_can_be_left_as_it_was_entered(layout: Layout, tmp_path: Path, program: str) -> None:
    told = shell(
        f"""
        export KUBECONFIG=/mine NO_PROXY=''
        before=$(env | grep -v '^_=' | sort)
        . {ENVIRONMENT}
        test "$KUBECONFIG" = {layout.path("kubeconfig")}
        . {ENVIRONMENT}
        kubectl version > /dev/null
        sandbox_deactivate
        test "$before" = "$(env | grep -v '^_=' | sort)"
        ! command -v sandbox_deactivate
        """,
        tmp_path,
        program,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("service", databases.SERVICES.values())
def test_sql_can_be_run_on_every_database_server(layout: Layout, tmp_path: Path, service: str) -> None:
    commands = f"""
        . {ENVIRONMENT}
        python -m sandbox sql {service} "SELECT 1, 'one'" "SELECT NULL"
        echo "CREATE TABLE typed (id int); INSERT INTO typed VALUES (5); SELECT id FROM typed; DROP TABLE typed;" |
            python -m sandbox sql {service} --database fraud_models
        """
    told = shell(commands, tmp_path)
    assert (told.returncode, told.stdout) == (0, "1\tone\nNULL\n5\n"), told.stderr
    wrong = shell(f". {ENVIRONMENT}\npython -m sandbox sql {service} 'SELEC 1'", tmp_path)
    assert wrong.returncode == 1 and "syntax" in wrong.stderr and "Traceback" not in wrong.stderr


def test_a_host_of_an_inventory_that_names_no_python_has_that_of_the_tools(layout: Layout, tmp_path: Path) -> None:
    ask = """ansible all -i some-host, -c local -m ansible.builtin.setup -a '{"filter": "ansible_python", "gather_subset": ["!all"]}'"""
    told = shell(f". {ENVIRONMENT}\n{ask}\necho $VIRTUAL_ENV", tmp_path)
    assert f'"executable": "{told.stdout.splitlines()[-1]}/bin/python"' in told.stdout, told.stdout + told.stderr


def first_playbook() -> tuple[dict[str, str], str]:
    """The files of README's first playbook, and the commands that run it."""
    text = (ROOT / "README.md").read_text()
    files = dict(re.findall(r"`(\w+\.yml)`:\n\n```yaml\n(.*?)```", text, re.DOTALL))
    [commands] = re.findall(r"^```shell\n(ansible-playbook first\.yml.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return files, commands


def test_the_first_playbook_of_the_readme_ends_with_a_registry_that_is_available(cluster: Cluster, tmp_path: Path) -> None:
    files, commands = first_playbook()
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    try:
        told = shell(f". {ENVIRONMENT}\n{commands}", tmp_path)
        assert told.returncode == 0, told.stdout + told.stderr
        assert told.stdout.count("failed=0") == 2
        conditions = {entry["type"]: entry["status"] for entry in cluster.registry("fraud-models")["status"]["conditions"]}
        assert conditions["Available"] == "True"
    finally:
        shell(f'. {ENVIRONMENT}\nansible localhost -m modelops.openshift_ai.model_registry -a \'{{"name": "fraud-models", "state": "absent"}}\'', tmp_path)
    assert cluster.registry("fraud-models") is None


def test_everything_that_the_demo_tells_to_type_next_works_as_it_is_printed(cluster: Cluster, layout: Layout, tmp_path: Path) -> None:
    """It takes more than 20 s: programs are started as in a shell, and a registry is made."""
    try:
        assert shell(f"cd {ROOT} && . {ENVIRONMENT} && ansible-playbook {demo.PLAYBOOK}", tmp_path).returncode == 0
        host = cluster.registry(demo.REGISTRY)["status"]["hosts"][0]
        told = [shell(f"cd {ROOT}\n. {ENVIRONMENT}\n{command}", tmp_path) for command in demo.next_commands(f"https://{host}")]
        assert [run.returncode for run in told] == [0, 0, 0], "".join(run.stdout + run.stderr for run in told)
        assert demo.REGISTRY in told[0].stdout
        assert "Another one" in told[1].stdout
        assert '"items"' in told[2].stdout
    finally:
        cluster.delete(*REGISTRIES, demo.REGISTRY)
        for secret in cluster.items("v1", "secrets"):
            if secret["metadata"]["name"].startswith(f"{demo.REGISTRY}-db-"):
                cluster.delete("v1", "secrets", secret["metadata"]["name"])
