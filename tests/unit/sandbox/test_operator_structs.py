"""The operator's small tools: quantities, merge patches, and whether an object must be written again."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.operator.lastapplied import annotated, differs
from sandbox.operator.structs import Mismatch, canonical_quantity, merge_patch


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("0.5", "500m"),
        (2, "2"),
        ("1024Mi", "1Gi"),
        ("1500Mi", "1500Mi"),
        ("0.5Gi", "512Mi"),
        ("512Ki", "512Ki"),
        ("100Ki", "100Ki"),
        ("1Ki", "1Ki"),
        ("2000M", "2G"),
        ("1e3", "1k"),
        ("100m", "100m"),
        ("0", "0"),
    ],
)
def test_quantities_have_one_spelling(given: Any, canonical: str) -> None:
    assert canonical_quantity(given) == canonical


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(Mismatch, match="quantities must match"):
        canonical_quantity("plenty")


def test_a_merge_patch_says_what_is_new_other_and_gone() -> None:
    assert merge_patch({"a": 1, "b": {"c": 1, "d": 2}, "e": 3}, {"a": 1, "b": {"c": 2, "d": 2}, "f": 4}) == {"b": {"c": 2}, "e": None, "f": 4}


def workload(**pod: Any) -> dict[str, Any]:
    template = {"metadata": {"annotations": {"scc": "restricted"}}, "spec": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "fraud", "labels": {"app": "fraud"}}, "spec": {"template": template}}


def stored(wanted: dict[str, Any], **pod: Any) -> dict[str, Any]:
    """The object as the API server gives it back, with what others have added."""
    made = annotated(wanted)
    template = made["spec"]["template"]
    return made | {"spec": {"replicas": 1, "template": template | {"spec": template["spec"] | pod}}}


def test_what_others_added_is_left_alone() -> None:
    wanted = workload(containers=[{"name": "rest", "image": "i"}], initContainers=[{"name": "copy", "image": "i"}])
    current = stored(wanted, containers=[{"name": "rest", "image": "i", "imagePullPolicy": "Always"}, {"name": "sidecar"}], restartPolicy="Always")
    current["spec"]["template"]["spec"]["initContainers"] = [{"name": "copy", "image": "i", "imagePullPolicy": "Always"}]
    current["spec"]["template"]["metadata"] = {"annotations": {"scc": "restricted", "restartedAt": "now"}}
    current["metadata"]["labels"]["team"] = "fraud"
    assert not differs(current, wanted)


def test_what_is_wanted_no_more_is_a_difference() -> None:
    volumes = [{"name": "ca", "configMap": {"name": "ca"}}]
    current = stored(workload(volumes=volumes))
    assert differs(current, workload())
    assert differs(current, workload(volumes=[{"name": "ca", "secret": {"secretName": "ca"}}]))
    assert not differs(current, workload(volumes=volumes))


def test_what_somebody_removed_or_changed_is_a_difference() -> None:
    wanted = workload(containers=[{"name": "rest", "args": ["a", "b"]}])
    assert differs(stored(wanted, containers=[]), wanted)
    assert differs(stored(wanted, containers=[{"name": "rest", "args": ["a"]}]), wanted)
    assert differs({"metadata": {"name": "fraud"}}, wanted)


def test_lists_without_a_key_count_as_one_value() -> None:
    binding = {"kind": "RoleBinding", "metadata": {"name": "b"}, "subjects": [{"kind": "Group", "name": "fraud-users"}]}
    assert differs(annotated(binding) | {"subjects": [*binding["subjects"], {"kind": "User", "name": "eve"}]}, binding)


def test_two_spellings_of_a_quantity_are_the_same() -> None:
    wanted = workload(containers=[{"name": "rest", "resources": {"requests": {"cpu": "0.5"}}}])
    assert not differs(stored(wanted, containers=[{"name": "rest", "resources": {"requests": {"cpu": "500m"}}}]), wanted)


def test_members_of_a_group_are_no_difference() -> None:
    group = {"kind": "Group", "metadata": {"name": "fraud-users", "labels": {"app": "fraud"}}, "users": None}
    assert not differs(annotated(group) | {"users": ["ann"]}, group)
    assert differs({"kind": "Group", "metadata": {"name": "fraud-users"}, "users": ["ann"]}, group)


def test_the_same_object_is_annotated_in_the_same_way() -> None:
    assert annotated(workload()) == annotated(workload())
