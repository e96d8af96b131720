# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the catalog server would say of the model catalog after a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .. import _errors, _options, _texts
from .._model import catalog, catalog_check, catalog_merged, desired_catalog, marks
from . import catalog_drafts, catalog_view


@dataclass(frozen=True)
class Verdict:
    """What the server would say after a plan for what is wanted."""

    wanted: desired_catalog.Wanted
    # The sources that the plan changes, by kind and ID.
    changed: Collection[tuple[str, str]]
    drafts: catalog_drafts.Drafts
    after: catalog_view.View

    def pass_on(self) -> None:
        """Add it to the problems and warnings of the plan."""
        for name in self.drafts.held:
            self._check_config_map(name, self.after.texts[name])
        self._check_files()
        self._warn_of_labels()
        # One that is removed may be there still, under the older key of a file.
        present = [source for source in self.wanted.sources if not source.is_absent]
        known = [(source, merged) for source in present if (merged := self.after.sources.get((source.kind.name, source.id)))]
        for source, merged in known:
            self._check_source(source, merged)
        if not self.drafts.problems:
            # Of a file that is not written as planned, this would say nothing new.
            for source, merged in known:
                self._check_effect(source, merged)
        self._warn_of_the_page()

    def _check_config_map(self, name: str, data: Mapping[str, str]) -> None:
        size = catalog.size_of(data)
        if size > catalog.LARGEST:
            remedy = "Use fewer or smaller sources" if not self.drafts.live.generation.has_labelled else "Set store to own, or use fewer or smaller sources"
            self.drafts.problems.append(_errors.Problem("sources", f"ConfigMap {name!r} would have {size} bytes, and the limit is {catalog.LARGEST}", remedy))
        present = self.drafts.live.config_maps.get(name)
        owner = marks.tool_of(present) if present else None
        if owner is not None and owner.whose == marks.TOOL:
            self.drafts.problems.append(
                _errors.Problem("store", f"ConfigMap {name!r} is {owner}, which would undo the change", "Change it there, or set store to own")
            )

    def _check_files(self) -> None:
        for name, file in self.after.files.items():
            if name in self.drafts.held:
                self._refused(name, file.findings)
            elif file.is_refused:
                found = next(finding for finding in file.findings if finding.effect == catalog_check.DOWN)
                self.drafts.warnings.append(f"ConfigMap {name!r} makes the whole catalog unavailable: {found.sentence()}")
        for name, clash in catalog_merged.clashes(list(self.after.files.items())):
            if clash.effect == catalog_check.DOWN and name in self.drafts.held:
                self._refused(name, [clash])
            else:
                self.drafts.warnings.append(f"ConfigMap {name!r}: {clash.sentence()}")

    def _refused(self, name: str, findings: Iterable[catalog_check.Finding]) -> None:
        for finding in findings:
            if finding.effect == catalog_check.DOWN:
                path = f"{finding.path}: " if finding.path else ""
                problem = f"{catalog.SOURCES} of ConfigMap {name!r} makes the whole catalog unavailable: {path}{finding.problem}"
                self.drafts.problems.append(_errors.Problem("sources", problem, finding.remedy))

    def _check_source(self, source: desired_catalog.Source, merged: catalog_merged.Merged) -> None:
        for finding in self.after.findings_of(merged):
            if finding.effect == catalog_check.ADVICE or (source.kind.name, source.id) not in self.changed:
                self.drafts.warnings.append(f"source{_texts.repeated(source.id)}: {finding.sentence()}")
            else:
                self.drafts.refuse(source, finding.path.partition(".")[2] or finding.path or "id", finding.problem, finding.remedy)

    def _check_effect(self, source: desired_catalog.Source, merged: catalog_merged.Merged) -> None:
        for field_ in _options.SOURCE_FIELDS:
            if field_.key and field_.option in source.values:
                value = catalog_view.live_value(merged, source, field_)
                if not catalog_view.equals(field_.option, value, source.values[field_.option]):
                    origin = merged.origins["properties" if field_.in_properties else source.key_of(field_.key)]
                    problem = f"would have no effect, because ConfigMap {origin!r} overrides it"
                    self.drafts.refuse(source, field_.option, problem, "Change it there", source.values[field_.option])

    def _warn_of_labels(self) -> None:
        """The server knows the labels of a file by their places in a list that it shortens for other files, and then finds them elsewhere."""
        labelled = self.after.labelled
        if len(labelled) > 1 and self.drafts.held:
            self.drafts.warnings.append(
                f"ConfigMaps {_texts.names_of(labelled)} describe labels. The catalog server of current versions reads them when it starts, but fails to read"
                " them again after any source has changed. The catalog is then unavailable until Deployment 'model-catalog' is restarted. If the module waits"
                " for a change (wait), it restarts the Deployment if necessary. After any other change, such as on the settings page, restart it manually"
            )

    def _warn_of_the_page(self) -> None:
        """What the next click on the page would erase."""
        for kind in self.drafts.live.generation.kinds[:2]:
            file = self.after.files.get(kind.config_map)
            others = sorted(key for key in (file.content if file else ()) if key != kind.sections[0])
            if others and kind.config_map in self.drafts.held:
                self.drafts.warnings.append(
                    f"ConfigMap {kind.config_map!r} also contains {_texts.names_of(others)}, which the next change on the settings page of the"
                    " dashboard removes; with store=own, new entries are not written there"
                )
