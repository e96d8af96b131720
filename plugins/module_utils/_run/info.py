# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module `model_registry_info`: everything about registries at one moment, as far as the account may see it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from .. import _errors, _module, _options
from .._cluster import client, snapshots
from .._model import manifests, naming
from .._work import collector


def collect(cluster: client.Cluster, options: Mapping[str, Any], outcome: _module.Found) -> None:
    """Everything that is asked for. ClusterError when the registries may not be read; InputError for a selector that is none."""
    outcome.introduce(cluster.identity())
    selectors = {"labelSelector": options["label_selector"], "fieldSelector": options["name"] and f"metadata.name={options['name']}"}
    namespace = options["namespace"] or cluster.registries_namespace()
    survey = snapshots.Survey(cluster, cluster.capabilities(), namespace, {key: value for key, value in selectors.items() if value})
    outcome.found = collector.Collector(survey, options, outcome).result()
    if options["query"] is not None:
        outcome.found["result"] = asked(options["query"], outcome.found)


def input_problems(options: Mapping[str, Any]) -> list[_errors.Problem]:
    """What is wrong with the options whatever is in the cluster."""
    # An empty text is a variable that was not set, and not the wish for nothing.
    blank = [option for option in ("name", "label_selector", "name_pattern") if options[option] is not None and not options[option].strip()]
    problems = [_errors.Problem(option, "is empty", "Omit it to select all registries", options[option]) for option in blank]
    if options["name"] is not None and "name" not in blank:
        problems += naming.live_name_problems(options["name"])
    if options["query"] is not None:
        try:
            asked(options["query"])
        except _errors.InputError as error:
            problems += error.problems
    return [*problems, *naming.namespace_problems(options["namespace"]), *_options.time_problems("expiry_days", options["expiry_days"], 0)]


def asked(query: str, found: manifests.Manifest | None = None) -> Any:
    """What a JMESPath query makes of the result; without one only its syntax is checked. InputError, and MissingLibraryError without its library."""
    try:
        jmespath = importlib.import_module("jmespath")
    except ImportError:
        raise _errors.MissingLibraryError(["jmespath"]) from None
    problem = "is not a valid JMESPath expression"
    try:
        expression = jmespath.compile(query)
        problem = "cannot be applied to the result"
        return None if found is None else expression.search(found)
    except jmespath.exceptions.JMESPathError as error:
        # The library's own words repeat the query.
        place = getattr(error, "lex_position", getattr(error, "lexer_position", None))
        function = getattr(error, "function_name", None)
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower().replace("jmespath", "")
        reason = words.strip() + (f" at character {place + 1}" if place is not None else "") + (f" of {function}()" if function else "")
        raise _errors.InputError([_errors.Problem("query", f"{problem}: {reason}", "Correct it (see https://jmespath.org)")]) from None
