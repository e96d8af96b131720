# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings of a database that refuses a login, or a question after it. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from . import vocabulary

# Our own number beside those of MySQL: a login that would show the password.
CLEAR_PASSWORD = -1
# MySQL's and MariaDB's refusals, by number. Those that hold for every client; all others are about an account, which the host of the client chooses.
_MYSQL_EVERYWHERE = {
    1040: ("login", "The database has no connections left", "Increase max_connections, or close other connections"),
    1049: ("database", "The database does not exist on the server", "Create it, or correct database.name"),
    3032: ("login", "The database is in offline mode", "Run SET GLOBAL offline_mode = OFF"),
    3159: ("tls_required", "The database accepts only encrypted connections, and the connection of the registry server is not encrypted", "Set database.ca"),
}
_MYSQL_OF_ACCOUNTS = {
    1129: (
        "The database blocks this host after too many connection errors",
        "Run `TRUNCATE TABLE performance_schema.host_cache` on MySQL, FLUSH HOSTS on MariaDB",
    ),
    1130: ("The database does not allow connections from this host", "Check that the user has an account for the hosts of the cluster"),
    1203: ("The user has no connections left", "Increase the connection limit of the user"),
    1226: ("The user has reached a limit", "Increase the limits of the user"),
    1251: ("The authentication method of the user is not supported by this check", "Change the authentication plugin of the user"),
    1524: ("The authentication plugin of the user is not loaded", "Change the authentication plugin of the user, for example to caching_sha2_password"),
    1698: ("The user cannot log in with a password", "Set a password for the user"),
    1820: ("The password of the user has expired", "Set a new password"),
    1862: ("The password of the user has expired", "Set a new password"),
    3118: ("The account of the user is locked", "Unlock the account"),
    3955: ("The account of the user is blocked after too many failed logins", "Unlock the account, and check database.password"),
    4151: ("The account of the user is locked", "Unlock the account"),
    CLEAR_PASSWORD: (
        "The database requests the password in clear text. The password was not sent, and the registry server does not send it either",
        "Check database.host, or change the authentication plugin of the user, for example to caching_sha2_password",
    ),
}
_POSTGRESQL_REFUSALS = (
    (
        r"password authentication failed|no password supplied",
        "login",
        "The user name or the password is wrong",
        "Check database.username and database.password",
    ),
    (r'database ".*" does not exist', "database", "The database does not exist on the server", "Create it, or correct database.name"),
    (
        r"permission denied for database",
        "database",
        "The user does not have permission to connect to the database",
        "Grant CONNECT on the database to the user",
    ),
    (r'role ".*" does not exist', "login", "The user does not exist", "Create it, or correct database.username"),
    (r"is not permitted to log in", "login", "The user is not allowed to log in", "Grant LOGIN to the role"),
    (
        r"too many (clients|connections)|remaining connection slots",
        "login",
        "The database has no connections left",
        "Increase its limit, or close other connections",
    ),
    (r"the database system is", "login", "The database is starting or stopping", "Run again later"),
)
OLD_LIBPQ = vocabulary.warning(
    "login",
    "The login was not tested: the installed library (libpq before 16) would send the password in clear text if the database requests it",
    "Install a newer library where this task runs (pip install --upgrade psycopg[binary]), or set database.ca",
    proven=False,
)
_NO_ENTRY = re.compile(r"no pg_hba\.conf entry|pg_hba\.conf rejects")
WITHOUT_TLS = re.compile(r"no encryption|SSL off")


def mysql_refusal(view: vocabulary.View, code: int, text: str, encrypted: bool) -> vocabulary.Finding:
    """Why MySQL or MariaDB does not take a login, by the number of its error."""
    if code in _MYSQL_EVERYWHERE:
        check, message, remedy = _MYSQL_EVERYWHERE[code]
        return vocabulary.failure(check, f"{message} (error {code})", remedy)
    if code == 1045:
        message = "The database rejects the login: the user name or the password is wrong, or the account of the user is for other hosts"
        message += ("" if encrypted else ", or the user must use TLS") + ("" if view.client_certificate else ", or must present a client certificate")
        remedy = "Check database.username and database.password" + ("" if encrypted else ", or set database.ca")
    else:
        message, remedy = _MYSQL_OF_ACCOUNTS.get(code, (f"The database rejects the login: {vocabulary.repeated(view, text)}", "See the log of the database"))
    return vocabulary.from_here(vocabulary.failure("login", f"{message} (error {code})" if code > 0 else message, remedy))


def mysql_database_refusal(view: vocabulary.View, code: int, text: str, host: str) -> vocabulary.Finding:
    """Why MySQL or MariaDB does not let a user who has logged in, as an account for this host, use the database."""
    if code == 1044:
        remedy = "Create the database, and grant the user all privileges on it"
        return vocabulary.of_account(
            vocabulary.failure("database", "The user has no privileges on the database, or it does not exist (error 1044)", remedy), host
        )
    return replace(mysql_refusal(view, code, text, encrypted=True), check="database")


def interrupted(view: vocabulary.View, code: int, text: str) -> vocabulary.Finding:
    """Why a database does not answer a user who has logged in."""
    if code in _MYSQL_OF_ACCOUNTS:
        return mysql_database_refusal(view, code, text, "")
    return vocabulary.warning(
        "database", f"The database does not allow this check: {vocabulary.repeated(view, text)}", "See the log of the database", proven=False
    )


def postgresql_refusal(view: vocabulary.View, text: str) -> vocabulary.Finding:
    """Why PostgreSQL does not take a login, by the words of its error."""
    if _NO_ENTRY.search(text) and WITHOUT_TLS.search(text):
        message = "The access rules of the database (pg_hba.conf) do not allow this user to connect from this host without encryption"
        return vocabulary.from_here(vocabulary.failure("tls_required", message, "Set database.ca, or ssl_mode to require"))
    if _NO_ENTRY.search(text):
        message = "The access rules of the database (pg_hba.conf) do not allow this user to connect from this host"
        return vocabulary.from_here(vocabulary.failure("login", message, "Check that they allow the hosts of the cluster"))
    for pattern, check, message, remedy in _POSTGRESQL_REFUSALS:
        if re.search(pattern, text):
            return vocabulary.failure(check, message, remedy)
    if "cleartext password" in text:
        message = "The database requests the password in clear text over an unencrypted connection. It was not sent, but the registry server would send it"
        return vocabulary.from_here(vocabulary.failure("login", message, "Set database.ca, set ssl_mode to require, or use scram-sha-256 in pg_hba.conf"))
    if "certificate verify failed" in text:
        # The chain has been checked before, by Go's rules, which take a CA whose own issuer is not given.
        message = "The login could not be tested: the installed library accepts only root CA certificates"
        return vocabulary.warning("login", message, "Add the root CA certificate to the bundle")
    return vocabulary.from_here(
        vocabulary.failure("login", f"The database rejects the login: {vocabulary.repeated(view, text)}", "See the log of the database")
    )


def unexpected(error: Exception) -> vocabulary.Finding:
    """What made a look end before it was done. The text of the error is not told: it may repeat a password."""
    message = f"The check of the database was not completed: the database, or an option, has an unexpected value ({type(error).__name__})"
    return vocabulary.warning("database", message, "Check the options of the database, and which server is running at its address", proven=False)
