"""Sphinx's settings for the site that docs/build.py makes."""

from __future__ import annotations

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
