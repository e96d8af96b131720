"""What an object has to be like so that its parts can be read without looking at each of them first."""

from __future__ import annotations

import json

import pytest

from ansible_collections.modelops.openshift_ai.plugins.module_utils._cluster import answers
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model import manifests
from ansible_collections.modelops.openshift_ai.plugins.module_utils._status import readiness

TIME = "2026-01-02T03:04:05Z"
METADATA = {"name": "one", "uid": "u", "labels": {"app": "one"}, "managedFields": [{"manager": "m", "time": TIME, "fieldsV1": {"f:spec": {"f:x": {}}}}]}
SUBJECT = {"kind": "User", "name": "alice"}
BINDING = {"kind": "RoleBinding", "metadata": METADATA, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [SUBJECT]}
CONDITION = {"type": "Available", "status": "True", "reason": "r", "message": "m"}
REGISTRY = {"kind": "ModelRegistry", "metadata": METADATA, "spec": {"mysql": {"port": 3306}}, "status": {"conditions": [CONDITION]}}
POD = {"kind": "Pod", "metadata": METADATA, "spec": {"containers": [{"name": "c"}]}, "status": {"startTime": TIME}}
DEPLOYMENT = {"kind": "Deployment", "metadata": METADATA, "spec": {"replicas": 1}, "status": {"observedGeneration": 1}}


def with_part(manifest, path, value):
    """The object with something else at a path."""
    head, _dot, tail = path.partition(".")
    key = int(head) if head.isdigit() else head
    changed = list(manifest) if isinstance(manifest, list) else dict(manifest)
    changed[key] = with_part(changed[key], tail, value) if tail else value
    return changed


@pytest.mark.parametrize("manifest", [BINDING, REGISTRY, POD, DEPLOYMENT, {"kind": "HTTPRoute", "metadata": METADATA, "spec": {"anything": [1]}}])
def test_objects_of_an_api_server_are_taken_also_where_their_optional_parts_are_null(manifest):
    empty = with_part(manifest, "metadata.labels", None)
    for one in (manifest, empty):
        assert answers.object_in(json.dumps(one).encode()) == one
    listed = {"kind": f"{manifest['kind']}List", "metadata": {}, "items": [{key: value for key, value in manifest.items() if key != "kind"}]}
    assert answers.list_in(json.dumps(listed).encode())["items"] == listed["items"]


@pytest.mark.parametrize(
    ("manifest", "path", "value"),
    [
        (BINDING, "metadata.labels", "text"),
        (BINDING, "metadata.namespace", ["text"]),
        (BINDING, "metadata.managedFields.0", "text"),
        (BINDING, "metadata.managedFields.0.time", "not a time"),
        (BINDING, "metadata.managedFields.0.time", "2026-01-02T03:04:05"),
        (BINDING, "metadata.creationTimestamp", {}),
        (BINDING, "roleRef", None),
        (BINDING, "roleRef.name", None),
        (BINDING, "subjects.0", None),
        (BINDING, "subjects.0.kind", 5),
        (REGISTRY, "spec.mysql", "text"),
        (REGISTRY, "spec.mysql.port", "3306"),
        (REGISTRY, "status.conditions", {}),
        (REGISTRY, "status.conditions.0.message", None),
        (POD, "spec.containers", None),
        (POD, "status.startTime", "x"),
        (DEPLOYMENT, "spec", None),
        (DEPLOYMENT, "spec.replicas", True),
    ],
)
def test_an_object_with_a_part_of_another_type_is_no_answer_and_the_part_is_named(manifest, path, value):
    body = json.dumps(with_part(manifest, path, value)).encode()
    with pytest.raises(ValueError) as refused:
        answers.object_in(body)
    assert f"({manifest['kind']} 'one': {path})" in str(refused.value)


@pytest.mark.parametrize("metadata", [None, "text", {}, {"name": "one"}, {"uid": "u"}, {"name": 1, "uid": "u"}])
def test_without_a_name_and_a_uid_it_is_no_object(metadata):
    with pytest.raises(ValueError, match=r"not a Kubernetes object$"):
        answers.object_in(json.dumps({"metadata": metadata}).encode())


def test_a_key_of_a_secret_that_was_never_set_is_empty():
    secret = {"kind": "Secret", "metadata": METADATA, "data": {"password": None}}
    assert manifests.decoded(answers.object_in(json.dumps(secret).encode()), "password") == ""


def test_a_deployment_that_says_little_is_not_ready():
    said = {"spec": {}, "metadata": {"name": "one"}, "status": {"observedGeneration": 1, "conditions": [{"type": "ReplicaFailure", "status": "True"}]}}
    registry = {"metadata": {"name": "one"}, "spec": {}}
    assert not readiness.judge(readiness.Observation(registry, said)).available
