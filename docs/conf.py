"""Sphinx's settings for the site that docs/build.py makes."""

from __future__ import annotations

import re
from typing import Any

project = "modelops.openshift_ai"
author = "The modelops.openshift_ai authors"
html_title = project

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
nitpicky = True
# What the modules' pages refer to in Ansible's documentation: docs/build.py writes the list, so that nothing is fetched.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest", "ansible.inv")}

html_theme = "furo"
html_copy_source = False
html_show_copyright = False


def _without_contents(_app: Any, _page: str, source: list[str]) -> None:
    """Drop the list of contents of a generated page: the theme has one of its own beside the text, and shows an error in place of a second one."""
    source[0] = re.sub(r"^\.\. contents::.*\n(?: +.*\n)*", "", source[0], flags=re.MULTILINE)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _without_contents)
