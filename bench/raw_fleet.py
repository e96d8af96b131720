"""Create registries with all that belongs to them from manifests with the kubernetes library, in parallel, and nothing else: the least that a fleet costs.

python bench/raw_fleet.py KUBECONFIG MANIFESTS
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from kubernetes import client, config

GROUP, VERSION, PLURAL = "modelregistry.opendatahub.io", "v1beta1", "modelregistries"
AT_THE_SAME_TIME = 8


def main(kubeconfig: str, manifests: str) -> None:
    config.load_kube_config(kubeconfig)
    create = partial(_create, client.CoreV1Api(), client.CustomObjectsApi(), client.RbacAuthorizationV1Api())
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        list(pool.map(create, json.loads(Path(manifests).read_text())))


def _create(core: client.CoreV1Api, custom: client.CustomObjectsApi, rbac: client.RbacAuthorizationV1Api, listed: list[Any]) -> None:
    secret, registry, *bindings = listed
    namespace = registry["metadata"]["namespace"]
    core.create_namespaced_secret(namespace, secret)
    made = custom.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, registry)
    for binding in bindings:
        binding["metadata"]["ownerReferences"][0]["uid"] = made["metadata"]["uid"]
        rbac.create_namespaced_role_binding(namespace, binding)


if __name__ == "__main__":
    main(*sys.argv[1:])
