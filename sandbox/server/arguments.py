"""The registry server's command line: flags, and the environment variables that stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

PREFIX = "embedmd-database-"
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


class UsageError(Exception):
    """A command line that the server refuses."""


@dataclass
class Options:
    """What the server was told to do; each field is the flag of its name."""

    hostname: str = "localhost"
    port: int = 8080
    datastore_type: str = "embedmd"
    embedmd_database_type: str = "mysql"
    embedmd_database_dsn: str = ""
    embedmd_database_ssl_cert: str = ""
    embedmd_database_ssl_key: str = ""
    embedmd_database_ssl_root_cert: str = ""
    embedmd_database_ssl_ca: str = ""
    embedmd_database_ssl_cipher: str = ""
    embedmd_database_ssl_verify_server_cert: bool = False
    alpha_sunset_date: str = ""

    @property
    def wants_tls(self) -> bool:
        """Whether any flag about certificates is set."""
        return any(
            (
                self.embedmd_database_ssl_cert,
                self.embedmd_database_ssl_key,
                self.embedmd_database_ssl_root_cert,
                self.embedmd_database_ssl_ca,
                self.embedmd_database_ssl_verify_server_cert,
            )
        )


# Flags of the logging library: accepted, without effect here.
LOGGING_FLAGS = ("alsologtostderr", "log_backtrace_at", "log_dir", "log_link", "logbuflevel", "logtostderr", "stderrthreshold", "v", "vmodule", "config")


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """The options of `model-registry proxy <arguments>`; a flag that is not given takes the value of MR_<FLAG>."""
    options = Options()
    names = {field.name.replace("_", "-"): field.name for field in fields(Options)}
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("--"):
            continue
        flag, equals, value = argument[2:].partition("=")
        if flag not in names and flag not in LOGGING_FLAGS:
            raise UsageError(f"unknown flag: --{flag}")
        if not equals:
            if flag == "embedmd-database-ssl-verify-server-cert" or flag in ("logtostderr", "alsologtostderr"):
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise UsageError(f"flag needs an argument: --{flag}")
        if flag in names:
            given[flag] = value
    for flag, name in names.items():
        text = given.get(flag, environment.get("MR_" + flag.upper().replace("-", "_")))
        if text is not None:
            setattr(options, name, _value(flag, text, getattr(options, name)))
    return options


def _value(flag: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text not in _TRUE + _FALSE:
            raise UsageError(f'invalid argument "{text}" for "--{flag}" flag: strconv.ParseBool: parsing "{text}": invalid syntax')
        return text in _TRUE
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise UsageError(f'invalid argument "{text}" for "--{flag}" flag: strconv.ParseInt: parsing "{text}": invalid syntax') from None
    return text
