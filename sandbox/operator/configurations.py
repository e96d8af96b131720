"""How the API server reaches the operator's admission webhooks."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.crds import REGISTRY_GROUP
from sandbox.generations import GENERATIONS, Generation
from sandbox.layout import WEBHOOK_PORT, Layout

KINDS = {"mutating": "MutatingWebhookConfiguration", "validating": "ValidatingWebhookConfiguration"}


def webhook_path(generation: Generation, verb: str) -> str:
    """The path of the webhook that does `verb` ("mutate" or "validate")."""
    version = f"{generation.version}-" if len(generation.versions) == 1 else ""
    return f"/{verb}-modelregistry-opendatahub-io-{version}modelregistry"


def webhook_configurations(layout: Layout, ca_bundle: bytes) -> list[dict[str, Any]]:
    """The webhook configurations of the sandbox's operator, ours or the real one: both listen at the same address."""
    made, generation = [], GENERATIONS[layout.product]
    for verb, kind in KINDS.items():
        path = webhook_path(generation, {"mutating": "mutate", "validating": "validate"}[verb])
        made.append(
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": f"model-registry-operator-{verb}-webhook-configuration"},
                "webhooks": [
                    {
                        "name": f"{verb[0]}modelregistry.opendatahub.io",
                        "admissionReviewVersions": ["v1"] if len(generation.versions) == 1 else ["v1beta1", "v1alpha1"],
                        "clientConfig": {
                            "url": f"https://{layout.address('operator')}:{WEBHOOK_PORT}{path}",
                            "caBundle": base64.b64encode(ca_bundle).decode(),
                        },
                        "failurePolicy": "Fail",
                        "matchPolicy": "Equivalent",
                        "rules": [
                            {
                                "apiGroups": [REGISTRY_GROUP],
                                "apiVersions": list(generation.versions),
                                "operations": ["CREATE", "UPDATE"],
                                "resources": ["modelregistries"],
                            }
                        ],
                        "sideEffects": "None",
                    }
                ],
            }
        )
    return made
