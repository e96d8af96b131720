"""Sphinx's settings for the site that docs/build.py makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

project = "modelops.openshift_ai"
author = "The modelops.openshift_ai authors"
html_title = project

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext", "sphinx_copybutton"]
nitpicky = True
# What the modules' pages refer to in Ansible's documentation: docs/build.py writes the list, so that nothing is fetched.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest", "ansible.inv")}

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
# Furo's list of contents stands beside the text, and its index of words would be a list of options without their modules.
html_use_index = False
html_theme_options = {
    "footer_icons": [],
    "light_css_variables": {"color-brand-primary": "#a3260f", "color-brand-content": "#0b5c8a", "color-brand-visited": "#0b5c8a"},
    "dark_css_variables": {"color-brand-primary": "#ff9d85", "color-brand-content": "#8cc8ff", "color-brand-visited": "#8cc8ff"},
}
pygments_style = "default"
pygments_dark_style = "github-dark"
# site.css has colors for both schemes; those of the extension would not follow the theme's switch.
antsibull_ext_color_scheme = "none"

TITLE = re.compile(r"^(?P<name>modelops\.openshift_ai\.(?P<short>\w+)) (?P<kind>module|filter|role) -- (?P<summary>.+)\n\++\n", re.MULTILINE)
# In each generated page: that it is not part of ansible-core and how to install it, that a module has an action plugin, and at its end whose it is.
REPEATED = (
    re.compile(r"^\.\. Collection note\n\n\.\. note::\n(?: +.*\n|\n)*", re.MULTILINE),
    re.compile(r"^\.\. note::\n    This module has a corresponding .*\n", re.MULTILINE),
    re.compile(r"^\.\. Authors\n.*?(?=^\.\. Parsing errors)", re.MULTILINE | re.DOTALL),
    # The theme has one of its own beside the text, and shows an error in place of a second one.
    re.compile(r"^\.\. contents::.*\n(?: +.*\n)*", re.MULTILINE),
)


def _short(_app: Any, _page: str, source: list[str]) -> None:
    """Give a generated page a title that fits a sidebar and a phone, and drop what all of them repeat."""
    title = TITLE.search(source[0])
    if not title:
        return
    name = f"{title['short']} {title['kind']}"
    # A summary is plain text but for code.
    heading = f"{name}\n{'+' * len(name)}\n\n.. rst-class:: lead\n\n{title['summary']}\n\nName in a playbook: ``{title['name']}``\n"
    text = source[0].replace(title[0], heading)
    for pattern in REPEATED:
        text = pattern.sub("", text)
    source[0] = text


LITERAL = re.compile(r"(?<!`)``([a-z_.]+)``(?!`)")
# Written by docs/build.py: what a guide may name, and the link to it.
LINKS = json.loads((Path(__file__).parent / "links.json").read_text())


def _linked(_app: Any, page: str, source: list[str]) -> None:
    """Make a link of each module, option and variable that a guide names: the guides need no markup for it, and a name that changes leaves no dead link."""
    if page.startswith("docsite/"):
        source[0] = LITERAL.sub(lambda found: LINKS.get(found[1], found[0]), source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _short)
    app.connect("source-read", _linked)
