"""`make demo`: a sandbox, a first registry on it by an example playbook, and what there is to see afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from sandbox import lifecycle, toolchain
from sandbox.layout import REGISTRIES_NAMESPACE, ROOT
from sandbox.processes import ProcessError

PLAYBOOK = "examples/first_registry.yml"
REGISTRY = "first-models"


def main() -> int:
    try:
        layout = lifecycle.up("3.x", "openshift")
    except (ProcessError, toolchain.ToolchainError) as error:
        print(error, file=sys.stderr)
        return 1
    environment = os.environ | lifecycle.shell_variables(layout)
    toolchain.say(f"ansible-playbook {PLAYBOOK}")
    played = subprocess.run(["ansible-playbook", PLAYBOOK], cwd=ROOT, env=environment, check=False)
    if played.returncode:
        return played.returncode
    result = _ask(environment)
    registry, status = result["registry"], result["status"]
    database = registry["database"]
    rows = [
        ("REGISTRY", "DATABASE", "AVAILABLE", "ADDRESS"),
        (
            registry["name"],
            f"{database['type']}://{database['host']}:{database['port']}/{database['name']}",
            "yes" if status["available"] else status["reason"],
            status["address"] or "-",
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    commands = "\n".join(f"  {command}" for command in next_commands(status["address"]))
    print(
        f"""
Nobody but the cluster's administrator has access to it yet. Next, after `. .sandbox/env`:

{commands}

`sandbox_deactivate` restores the shell, `make sandbox-stop` stops the cluster."""
    )
    return 0


def next_commands(address: str) -> list[str]:
    """What to type next, in a shell of `. .sandbox/env`: see the registry's objects, preview an edit, ask the registry itself."""
    url = f"{address}/api/model_registry/v1alpha3/registered_models"
    return [
        f"kubectl get modelregistries.modelregistry.opendatahub.io,pods -n {REGISTRIES_NAMESPACE}",
        f"""ansible-playbook {PLAYBOOK} --check --diff -e '{{"description": "Another one"}}'""",
        f"curl --cacert $SANDBOX_INGRESS_CA -H 'Authorization: Bearer sandbox-admin' {url}",
    ]


def _ask(environment: dict[str, str]) -> dict[str, Any]:
    """How the registry is, as the module sees it in check mode."""
    options = json.dumps({"name": REGISTRY, "wait": False})
    command = ["ansible", "localhost", "--check", "-m", "modelops.openshift_ai.model_registry", "-a", options]
    answer = subprocess.run(command, cwd=ROOT, env=environment | {"ANSIBLE_STDOUT_CALLBACK": "minimal"}, text=True, capture_output=True, check=False)
    if answer.returncode:
        raise SystemExit(answer.stdout + answer.stderr)
    result: dict[str, Any] = json.loads(answer.stdout.partition("=>")[2])
    return result


if __name__ == "__main__":
    sys.exit(main())
