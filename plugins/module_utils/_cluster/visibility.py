# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way to read what may be missing: because the account may not read it, because the cluster has no such thing, or because it cannot be read now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .. import _errors

T = TypeVar("T")
U = TypeVar("U")


def seen(
    read: Callable[[], T],
    otherwise: U,
    unseen: Callable[[str], object] = lambda _why: None,
    what: str = "",
    advice: bool = True,
    served: Callable[[], bool] = lambda: True,
) -> T | U:
    """What is read, or `otherwise` where it is missing; `unseen` is told why `what` could not be determined, unless there is nothing to see.

    What is read for `advice` never stops a run, whatever the answer. What a run acts upon is missing only where the account may not read it, or there is
    no such thing: any other failure is raised. `served` tells whether the cluster knows the kind at all: one that does not refuses first who has no
    right to it.
    """
    try:
        return read()
    except _errors.ClusterError as error:
        if not advice and error.status not in (_errors.FORBIDDEN, _errors.NOT_FOUND):
            raise
        # A container that was not started has no log, and the API server answers that this is a bad request.
        if error.status not in (_errors.NOT_FOUND, _errors.BAD_REQUEST) and seen(served, True):
            unseen(f"{what} could not be determined: {error}" if what else str(error))
        return otherwise


def if_allowed(read: Callable[[], T], otherwise: Callable[[], T]) -> T:
    """What is read, or what is read in another way where the account may not read it like this."""
    try:
        return read()
    except _errors.ClusterError as error:
        if error.status != _errors.FORBIDDEN:
            raise
        return otherwise()
