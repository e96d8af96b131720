"""The ConfigMap `odh-trusted-ca-bundle` of every namespace: one key is the platform operator's, the other one OpenShift's."""

from __future__ import annotations

import asyncio

from sandbox.kube import Api, Object, Queue, path
from sandbox.layout import Layout
from sandbox.platform.seed import INITIALIZATION_API

NAME = "odh-trusted-ca-bundle"
PRODUCT_KEY = "odh-ca-bundle.crt"
CLUSTER_KEY = "ca-bundle.crt"
OPT_OUT = "security.opendatahub.io/inject-trusted-ca-bundle"
INJECT_LABEL = "config.openshift.io/inject-trusted-cabundle"
LABELS = {"app.kubernetes.io/part-of": "opendatahub-operator", INJECT_LABEL: "true"}


def reserved(namespace: str) -> bool:
    """Whether a namespace is the cluster's own."""
    return namespace in ("default", "openshift") or namespace.startswith(("openshift-", "kube-"))


def product_bundle(initialization: Object) -> str | None:
    """The text of the product's bundle; None while the platform does not look after it. It is never empty: without any certificate it is a newline."""
    bundle = initialization.get("spec", {}).get("trustedCABundle") or {}
    return (bundle.get("customCABundle") or "").strip() + "\n" if bundle.get("managementState") == "Managed" else None


def cluster_bundle(layout: Layout) -> str:
    """The certificates that this cluster trusts: those of its ingress and of its databases."""
    return "".join(layout.path("pki", f"{name}.crt").read_text().strip() + "\n" for name in ("ingress-ca", "database-ca"))


async def run(layout: Layout, api: Api) -> None:
    """Keep both keys as they have to be."""
    namespaces: dict[str, Object] = {}
    initializations: dict[str, Object] = {}
    injected = cluster_bundle(layout)

    async def provide(namespace: str) -> None:
        """The platform operator's part."""
        live = namespaces.get(namespace)
        text = next((text for text in map(product_bundle, initializations.values()) if text is not None), None)
        if not live or text is None or live["status"]["phase"] != "Active":
            return
        target = path("v1", "configmaps", namespace, NAME)
        if (live["metadata"].get("annotations") or {}).get(OPT_OUT) == "false":
            await api.delete(target)
        elif not reserved(namespace):
            config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "labels": LABELS}, "data": {PRODUCT_KEY: text}}
            await api.apply(target, config_map)

    async def inject(key: tuple[str, str]) -> None:
        """The Cluster Network Operator's part, for any ConfigMap that asks for it."""
        target = path("v1", "configmaps", *key)
        live = await api.find(target)
        if live and (live.get("data") or {}).get(CLUSTER_KEY) != injected:
            await api.merge(target, {"data": {CLUSTER_KEY: injected}}, fieldManager="cluster-network-operator")

    providing, injecting = Queue(provide), Queue(inject)

    async def follow_namespaces() -> None:
        async for event, namespace in api.watch(path("v1", "namespaces")):
            name = namespace["metadata"]["name"]
            if event == "DELETED":
                namespaces.pop(name, None)
            else:
                namespaces[name] = namespace
                providing.add(name)

    async def follow_initializations() -> None:
        async for event, initialization in api.watch(path(INITIALIZATION_API, "dscinitializations")):
            if event == "DELETED":
                initializations.pop(initialization["metadata"]["name"], None)
            else:
                initializations[initialization["metadata"]["name"]] = initialization
                for name in namespaces:
                    providing.add(name)

    async def follow_config_maps() -> None:
        async for event, config_map in api.watch(path("v1", "configmaps"), labelSelector=f"{INJECT_LABEL}=true"):
            namespace, name = config_map["metadata"]["namespace"], config_map["metadata"]["name"]
            if name == NAME:
                providing.add(namespace)
            if event != "DELETED":
                injecting.add((namespace, name))

    async with asyncio.TaskGroup() as group:
        for part in (providing.run(), injecting.run(), follow_namespaces(), follow_initializations(), follow_config_maps()):
            group.create_task(part)
