"""Reads what a check has written for machines, as those would: JSON by its schema, JUnit XML by one of our own, metrics by Prometheus' own parser."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import jsonschema
import xmlschema
from prometheus_client.parser import text_string_to_metric_families

from sandbox.layout import ROOT

SCHEMA = ROOT / "docs" / "docsite" / "results.schema.json"
JUNIT = ROOT / "tests" / "junit.xsd"
TAGS = {"failure": "failed", "error": "error", "skipped": "skipped"}


def results(text: str) -> dict[str, Any]:
    """The JSON, valid by its schema."""
    content: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(content)
    return content


def tests(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """By suite and name, the result of each test case and what is said of it. The numbers of the suites are right."""
    xmlschema.XMLSchema(JUNIT).validate(text)
    # It is our own, and was validated.
    root = ElementTree.fromstring(text)
    found = {}
    for suite in root:
        for case in suite:
            said = [(TAGS[child.tag], child.text or child.attrib["message"]) for child in case]
            found[suite.attrib["name"], case.attrib["name"]] = said[0] if said else ("passed", "")
        assert int(suite.attrib["tests"]) == len(suite) and int(suite.attrib["errors"]) == len(suite.findall("*/error"))
    assert int(root.attrib["tests"]) == len(found) and int(root.attrib["failures"]) == [result for result, _said in found.values()].count("failed")
    return found


def metrics(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """By name and labels, the value of each metric. None is there twice, and each has its documentation and type."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge" and family.documentation
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found
