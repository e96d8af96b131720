# Copyright: the modelops.openshift_ai authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run and its list come from: who started it, which files, and which commits they are of."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from collections.abc import Collection, Iterable, Mapping
from typing import Any

# ansible-core 2.19 and later; earlier ones keep the place of a value in an attribute of it.
try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

GIT_SECONDS = 10
# Nothing that a repository's configuration names is run.
GIT = ("git", "-c", "core.fsmonitor=false", "--no-optional-locks", "-C")
# In the jobs of a controller, by their meaning: AWX and Ansible Automation Platform set both.
PREFIXES = ("awx", "tower")


def facts_of(variables: Mapping[str, Any], hosts: Iterable[Mapping[str, Any]], names: Collection[str], version: str) -> list[tuple[str, str]]:
    """What a page says of its run: `variables` are those of the task, `hosts` those of each host, and `names` the variables that can hold the list."""
    sources = [str(source) for source in variables.get("ansible_inventory_sources") or ()]
    lists = [origin_of(host[name]) for host in hosts for name in names if name in host]
    files = list(dict.fromkeys(origin for origin in lists if origin))
    facts = [("Started by", _starter(variables)), ("Job", _job(variables)), ("Collection", f"modelops.openshift_ai {version}")]
    facts += [("ansible-core", str((variables.get("ansible_version") or {}).get("full") or ""))]
    facts += [("Limited to", str(variables.get("ansible_limit") or ""))]
    facts += [("Inventory", ", ".join(_with_commit(source) for source in sources))]
    facts += [("List", ", ".join(_with_commit(file) for file in files) if files else "in variables that were not read from a file" if lists else "none")]
    return [(what, said) for what, said in facts if said]


def origin_of(value: Any) -> str:
    """The file that a variable was read from; empty where Ansible does not tell."""
    origin = Origin.get_tag(value) if Origin else None
    place = getattr(value, "ansible_pos", None)
    path = origin.path if origin else place[0] if place else ""
    return str(path) if path and os.path.isabs(path) else ""


def _starter(variables: Mapping[str, Any]) -> str:
    named = _of_controller(variables, "user_name")
    if named:
        return f"{named} (user of the controller)"
    try:
        return f"{getpass.getuser()} on {socket.gethostname()}"
    except (KeyError, OSError):
        # A container's user without a name.
        return f"user ID {os.geteuid()} on {socket.gethostname()}"


def _job(variables: Mapping[str, Any]) -> str:
    number, template, revision = (_of_controller(variables, name) for name in ("job_id", "job_template_name", "project_revision"))
    parts = (number, f"of template {template}" if template else "", f"revision {revision}" if revision else "")
    return ", ".join(part for part in parts if part) if number else ""


def _of_controller(variables: Mapping[str, Any], name: str) -> str:
    return next((str(variables[f"{prefix}_{name}"]) for prefix in PREFIXES if variables.get(f"{prefix}_{name}")), "")


def _with_commit(path: str) -> str:
    """A path, with the commit that it is of when it is in a checkout of git."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    commit = _git(folder, "rev-parse", "--verify", "HEAD").strip() if os.path.isdir(folder) else ""
    if not commit:
        return path
    changed = ", with uncommitted changes" if _git(folder, "status", "--porcelain", "--ignored", "--", path).strip() else ""
    return f"{path} (commit {commit}{changed})"


def _git(folder: str, *arguments: str) -> str:
    """What git answers; nothing without git, or outside of a checkout that this user may trust."""
    try:
        done = subprocess.run([*GIT, folder, *arguments], capture_output=True, text=True, errors="replace", timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
