"""The model catalog as it may be in a cluster."""

import contextlib
import copy
import threading

from ansible_collections.modelops.openshift_ai.plugins.module_utils import _errors
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog, manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._options import CATALOG, SOURCE_ITEM
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan import record
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_view import Live
from ansible_collections.modelops.openshift_ai.plugins.module_utils._run import catalog as catalog_run

NAMESPACE = "registries"
MODELS = "models:\n  - name: org/model\n"
# As the dashboard writes it, with a comment of somebody who has edited it since.
CLICKED = """\
catalogs:
    - enabled: true
      id: fraud_models
      includedModels:
        - org/*
      labels:
        - Fraud
      name: Fraud models
      properties:
        yamlCatalogPath: fraud_models.yaml
      type: yaml
    # from Hugging Face
    - enabled: false
      id: granite
      name: Granite
      properties:
        allowedOrganization: ibm-granite
        apiKey: catalog-granite-apikey
      type: hf
"""
DEFAULT = """\
catalogs:
  - name: Red Hat AI
    id: redhat_ai_models
    enabled: true
    type: yaml
    includedModels: [a*]
    properties: {yamlCatalogPath: /shared-data/models-catalog.yaml}
labels:
  - name: Red Hat AI
    displayName: Red Hat
"""


def config_map(name, sources, data=None, labels=None, **metadata):
    text = {"sources.yaml": sources} if sources is not None else {}
    return {"metadata": {"name": name, "resourceVersion": "7", "labels": labels or {}, **metadata}, "data": {**text, **(data or {})}}


def live(user=CLICKED, *others, generation=catalog.WITH_AGENTS, secrets=None, data=None):
    made = [config_map("model-catalog-sources", user, {"fraud_models.yaml": MODELS} if data is None else data)]
    made += [config_map("mcp-catalog-sources", "mcp_catalogs: []"), config_map("agent-catalog-sources", "agent_catalogs: []")]
    made += [config_map(generation.defaults, DEFAULT)] if generation.defaults else []
    return Live(NAMESPACE, generation, {one["metadata"]["name"]: one for one in (*made, *others)}, secrets or {})


class Cluster:
    """An API server with ConfigMaps and Secrets, whose account has no token. `before` is called before a write is carried out, `after` after it."""

    def __init__(self, user=CLICKED):
        self.held = {("configmaps", name): copy.deepcopy(one) for name, one in live(user).config_maps.items()}
        self.writes = []
        self.pods, self.logs, self.is_restart_refused = [], {False: "", True: ""}, False
        self.before = self.after = lambda _write: None
        self._version = 100

    bearer_token = None

    def identity(self):
        return {"host": "https://api", "context": None, "user": "ansible", "verify_ssl": True}

    def read(self, api, _namespace, name):
        return copy.deepcopy(self.held.get((api[1], name)))

    def items(self, api, _namespace, **_query):
        if api[1] == "pods":
            return copy.deepcopy(self.pods)
        return [copy.deepcopy(one) for (plural, _name), one in self.held.items() if plural == api[1] and catalog.SOURCE_LABEL in one["metadata"]["labels"]]

    def metadata(self, api, _namespace, labelSelector):
        label, value = labelSelector.split("=")
        held = [one["metadata"] for (plural, _name), one in self.held.items() if plural == api[1]]
        return [{"metadata": copy.deepcopy(one)} for one in held if one["labels"].get(label) == value]

    def log(self, _namespace, _pod, _container, previous, _lines):
        return self.logs[previous]

    @contextlib.contextmanager
    def changes(self, _watched, _deadline):
        yield threading.Event()

    def before_writing(self):
        """Nobody stops it."""

    def tell(self, _state):
        """Nobody watches."""

    def missing_rights(self, _namespace, _rights):
        return []

    def put(self, plural, name, manifest):
        """Somebody writes."""
        self._version += 1
        manifest["metadata"]["resourceVersion"] = str(self._version)
        self.held[plural, name] = manifest

    def write(self, verb, api, _namespace, name, body, dry_run):
        if dry_run:
            return {"kind": "Status"}
        self.before((verb, name))
        if api[1] == "deployments":
            if self.is_restart_refused:
                raise _errors.ClusterError("restarting was refused.", _errors.FORBIDDEN)
            self.writes.append(("restart", name))
            self.after(("restart", name))
            return {"kind": "Deployment"}
        present = self.held.get((api[1], name))
        if verb == "POST":
            if present:
                raise _errors.ClusterError("exists", _errors.CONFLICT)
            self.put(api[1], name, {**body, "metadata": {"labels": {}, **body["metadata"], "uid": name}})
        else:
            wanted = body["preconditions" if verb == "DELETE" else "metadata"].get("resourceVersion")
            if present is None or wanted not in (None, present["metadata"]["resourceVersion"]):
                raise _errors.ClusterError("changed", _errors.CONFLICT)
            if verb == "DELETE":
                del self.held[api[1], name]
            else:
                self.put(api[1], name, manifests.patched(present, body))
        self.writes.append((verb, name))
        self.after((verb, name))
        return copy.deepcopy(self.held.get((api[1], name), {"kind": "Status"}))

    @property
    def data(self):
        return {key: one["data"] for key, one in self.held.items()}


def run(cluster, *sources, check=False, outcome=None, **options):
    """Run `model_catalog` with these sources and options; its result."""
    given = {option: rule.get("default") for option, rule in CATALOG.items()} | {"namespace": NAMESPACE, **options}
    given["sources"] = [{option: source.get(option, rule.get("default")) for option, rule in SOURCE_ITEM.items()} for source in sources]
    outcome = outcome or record.Outcome()
    catalog_run.converge(cluster, given, check, outcome)
    return outcome.result(True)
