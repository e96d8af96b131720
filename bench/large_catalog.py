"""Plan 200 new sources of the model catalog with 20,000 models of 500 bytes, or only load their texts with libyaml; print the seconds and the memory.

python bench/large_catalog.py plan|load
"""

from __future__ import annotations

import json
import resource
import sys
import time

import yaml

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _options
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, desired_catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import catalog_plan, catalog_view

SOURCES, MODELS, BYTES = 200, 100, 500
EMPTY = {
    catalog.DEFAULTS: "catalogs: []\n",
    catalog.MODEL.config_map: "catalogs: []\n",
    catalog.MCP.config_map: "mcp_catalogs: []\n",
    catalog.AGENT.config_map: "agent_catalogs: []\n",
}


def model(source: int, number: int) -> str:
    """A model as it is written in a file with data."""
    name = f"organization-{source}/model-{number}"
    head = (
        f"  - name: {name}\n    provider: A team\n    license: apache-2.0\n    tasks:\n      - text-generation\n    createTimeSinceEpoch: '1739776988000'\n"
        f"    artifacts:\n      - uri: oci://quay.io/{name}:1.0\n    description: "
    )
    return f"{head.ljust(BYTES - 1, 'x')}\n"


def main(what: str) -> None:
    texts = [f"source: A team\nmodels:\n{''.join(model(source, number) for number in range(MODELS))}" for source in range(SOURCES)]
    started = time.process_time()
    if what == "load":
        for text in texts:
            yaml.load(text, yaml.CSafeLoader)
    else:
        plan(texts)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def plan(texts: list[str]) -> None:
    """As the module does it: options that are checked, and a plan for a catalog that has nothing of them yet."""
    sources = [{"name": f"Source {number}", "content": text} for number, text in enumerate(texts)]
    options = {option: rule.get("default") for option, rule in _options.CATALOG.items()}
    options["sources"] = [{option: source.get(option, rule.get("default")) for option, rule in _options.SOURCE_ITEM.items()} for source in sources]
    config_maps = {name: {"metadata": {"name": name, "resourceVersion": "1", "labels": {}}, "data": {catalog.SOURCES: text}} for name, text in EMPTY.items()}
    problems: list[object] = []
    wanted = desired_catalog.wanted_from_options(options, problems)
    made = catalog_plan.plan_catalog(wanted, catalog_view.Live("registries", catalog.WITH_AGENTS, config_maps), "dashboard", False, 1)
    assert not problems and not made.problems, (problems, made.problems)
    assert sum(len(change.body["data"]) for change in made.changes) > SOURCES


if __name__ == "__main__":
    main(sys.argv[1])
