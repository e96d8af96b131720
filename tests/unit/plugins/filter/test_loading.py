"""Ansible loads all filters of a collection in every task that uses one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.modelops.openshift_ai.plugins import filter as filters

[FOLDER] = filters.__path__
LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"ansible_collections.modelops.openshift_ai.plugins.filter.{name}")
print(*sys.modules)
"""


def test_a_filter_does_not_load_what_only_another_one_needs() -> None:
    names = [path.stem for path in Path(FOLDER).glob("[a-z]*.py")]
    assert "model_registries_findings" in names
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(FOLDER).parents[4]), *sys.path])}
    loaded = subprocess.run([sys.executable, "-c", LOADED, *names], check=True, env=environment, text=True, capture_output=True).stdout.split()
    assert "ansible_collections.modelops.openshift_ai.plugins.plugin_utils._outcome" in loaded
    # 0.1 s, most of it for certificates.
    assert not {name for name in loaded if name.endswith((".plugin_utils._report", "._model.certificates")) or name.startswith("cryptography")}
