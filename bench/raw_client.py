"""Create the Secret and the registry of two manifests with the kubernetes library, and nothing else: the least that a create costs.

python bench/raw_client.py KUBECONFIG MANIFESTS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kubernetes import client, config

GROUP, VERSION, PLURAL = "modelregistry.opendatahub.io", "v1beta1", "modelregistries"


def main(kubeconfig: str, manifests: str) -> None:
    config.load_kube_config(kubeconfig)
    secret, registry = json.loads(Path(manifests).read_text())
    namespace = registry["metadata"]["namespace"]
    made = client.CoreV1Api().create_namespaced_secret(namespace, secret)
    registry["spec"]["mysql"]["passwordSecret"]["name"] = made.metadata.name
    client.CustomObjectsApi().create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, registry)


if __name__ == "__main__":
    main(*sys.argv[1:])
