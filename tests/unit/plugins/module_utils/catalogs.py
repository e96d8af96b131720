"""The model catalog as it may be in a cluster."""

from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import catalog
from ansible_collections.modelops.openshift_ai.plugins.module_utils._plan.catalog_plan import Live

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
