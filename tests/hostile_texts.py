"""Texts that somebody who may only write into a cluster would try on those who read it."""

from __future__ import annotations

from pathlib import Path

# Makes the file if anything ever takes it for code of Ansible's.
CANARY = "lookup('ansible.builtin.pipe', 'touch {canary}')"


def texts(canary: Path) -> dict[str, str]:
    """The texts by what they try; each that is run makes the file `canary`."""
    call = CANARY.format(canary=canary)
    return {
        "expression": f"{{{{ {call} }}}}",
        "statement": f"{{% set x = {call} %}}",
        "other marks": f"#jinja2: variable_start_string:'<<', variable_end_string:'>>'\n<< {call} >>",
        "other marks in brackets": f"#jinja2: variable_start_string:'[', variable_end_string:']'\n[{call}]",
        "other marks of letters": f"#jinja2: variable_start_string:'aa', variable_end_string:'zz'\naa {call} zz",
        "line statements": f"#jinja2: line_statement_prefix:'@'\n@ set x = {call}",
        "raw": f"{{% endraw %}}{{{{ {call} }}}}",
        "tag": "!unsafe x",
        "vault": "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61",
        "end of a quote": f"'\n{{{{ {call} }}}}\n'",
        "new key": f"x\nansible_connection: '{{{{ {call} }}}}'\n",
        "document": "---\n...\n%YAML 1.1\n",
        "page": "</td></tr><script>window.attacked = 1</script><img src=x onerror='window.attacked = 1'><style>*{display:none}</style>&lt;\"'",
        "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x08\x7fx",
        "forged line": "x\neast: 0 registries: all as it should be\r\nok: [east]",
        "line breaks": "a\x85b\u2028c\u2029d\x0be\x0cf",
        "order": "\u202egnp.exe\u2066\u200f\u061cend",
        "invisible": "a\u200bb\ufeffc\u00add\U000e0041",
        "letters": "Größe, שלום, سلام, 中文, 🎉",
        "bytes": "\x01\ufffe\uffff\U0010ffff",
        "long": f"{'x' * 60_000} {{{{ {call} }}}}",
        "long lines": "\n".join(["y" * 300] * 200),
        "true": "True",
        "number": "1e3",
        "list": f"[{call}]",
        "dictionary": f"{{'a': {call}}}",
    }
