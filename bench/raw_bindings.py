"""Create RoleBindings from manifests with the kubernetes library, in parallel, and nothing else: the least that granting costs.

python bench/raw_bindings.py KUBECONFIG MANIFESTS
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from kubernetes import client, config

AT_THE_SAME_TIME = 8


def main(kubeconfig: str, manifests: str) -> None:
    config.load_kube_config(kubeconfig)
    listed = json.loads(Path(manifests).read_text())
    create = partial(client.RbacAuthorizationV1Api().create_namespaced_role_binding, listed["namespace"])
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        list(pool.map(create, listed["items"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
