"""The sandbox's databases: MySQL where it can be had, MariaDB and PostgreSQL, all with TLS, and the users and databases in them."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql
import pymysql
from cryptography import x509

from sandbox import toolchain
from sandbox.layout import DATABASE_NAMESPACE, MARKER, Layout
from sandbox.processes import Command, dies_with_parent

MYSQL_PORT = 3306
POSTGRESQL_PORT = 5432
# The types of a registry's database. Behind `mysql` is MySQL, or MariaDB where MySQL cannot be had. MariaDB has a Service of its own too.
KINDS = ("mysql", "postgresql")
MARIADB = "mariadb"
# The Services in namespace `data` behind which the databases are.
SERVICES = {"mysql": "mysql", "postgresql": "postgres", MARIADB: "mariadb"}
# Other Services for the same servers, whose names are not in their certificate.
ALIASES = {"mysql": "mysql-alias", "postgresql": "postgres-alias", MARIADB: "mariadb-alias"}
PORTS = {"mysql": MYSQL_PORT, "postgresql": POSTGRESQL_PORT, MARIADB: MYSQL_PORT}

ERRORS = (pymysql.Error, psycopg.Error)

# Both servers refuse to run as root; this user runs them then.
UNPRIVILEGED_USER = "nobody"
_ONE_COPY = threading.Lock()


def encrypted() -> ssl.SSLContext:
    """Encryption for connections of PyMySQL that verify nothing. Without one it reads all CA certificates of the machine for each, which takes 25 ms."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class Account:
    """A login that exists on both servers."""

    name: str
    password: str
    must_use_tls: bool = False
    may_migrate: bool = True


ADMINISTRATOR = Account("sandbox_admin", "sandbox-admin-password")
REGISTRY = Account("registry", "registry-password")
TLS_ONLY = Account("registry_tls", "registry-tls-password", must_use_tls=True)
READER = Account("registry_reader", "registry-reader-password", may_migrate=False)

# Passwords that decide between serving and not, by what is odd in them; the account `odd_<key>` has it.
ODD_PASSWORDS = {
    "mysql": "a@b/c:d(e)f%g&h=i#j+k$l m",
    "home": "$(HOME)",
    "question": "a?b",
    "postgresql": "a@b:c(d)e&f=g+h",
    "slash": "a/b",
    "hash": "a#b",
    "space": "a b",
    "bracket": "a[b]c",
    "quote": 'a"b',
    "angle": "a<b>c",
    "brace": "a{b}c",
    "caret": "a^b",
    "backslash": "a\\b",
    "pipe": "a|b",
    "percent": "a%41b",
    "escape": "a%zzb",
}
ODD_USERS = ("user@home", "user/home", "user home", "user:home")
ODD_USER_PASSWORD = "odd-user-password"
ACCOUNTS = (
    REGISTRY,
    TLS_ONLY,
    READER,
    *(Account(f"odd_{key}", password) for key, password in ODD_PASSWORDS.items()),
    *(Account(name, ODD_USER_PASSWORD) for name in ODD_USERS),
)

# Accounts that only MySQL has, each special in one way: the rest of its CREATE USER statement. They have the password of REGISTRY and may use every database.
SPECIAL_ACCOUNTS = {
    "sha2": "IDENTIFIED WITH caching_sha2_password BY {password}",
    "sha256": "IDENTIFIED WITH sha256_password BY {password}",
    "ssl": "IDENTIFIED BY {password} REQUIRE SSL",
    "x509": "IDENTIFIED BY {password} REQUIRE X509",
    "subject": "IDENTIFIED BY {password} REQUIRE SUBJECT {subject}",
    "locked": "IDENTIFIED BY {password} ACCOUNT LOCK",
    "expired": "IDENTIFIED BY {password} PASSWORD EXPIRE",
    "blocking": "IDENTIFIED BY {password} FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED",
    "one_connection": "IDENTIFIED BY {password} WITH MAX_USER_CONNECTIONS 1",
    "hourly_connections": "IDENTIFIED BY {password} WITH MAX_CONNECTIONS_PER_HOUR 1",
    "hourly_queries": "IDENTIFIED BY {password} WITH MAX_QUERIES_PER_HOUR 16",
    "hourly_few": "IDENTIFIED BY {password} WITH MAX_QUERIES_PER_HOUR 6",
    "hourly_updates": "IDENTIFIED BY {password} WITH MAX_UPDATES_PER_HOUR 5",
    "hourly_many": "IDENTIFIED BY {password} WITH MAX_QUERIES_PER_HOUR 1000000",
}
DEFAULT_DATABASE = "model-registry"
# Those that the READMEs, guides and examples use.
DOCUMENTED_DATABASES = ("fraud_models", "credit_models")
DIRTY_DATABASE = "dirty"
MISSING_DATABASE = "nope"
DIRTY_VERSION = 7
FREE_DATABASES = {"mysql": 50, "postgresql": 10, MARIADB: 0}
ODD_DATABASES = ("odd space", "odd#hash", "odd&and", "odd-dash")


def databases(kind: str) -> list[str]:
    """The names of all databases that exist on one server from the start."""
    return [
        DEFAULT_DATABASE,
        "model_registry",
        *DOCUMENTED_DATABASES,
        DIRTY_DATABASE,
        *ODD_DATABASES,
        *(f"registry_{n}" for n in range(1, FREE_DATABASES[kind] + 1)),
    ]


def servers(layout: Layout) -> list[str]:
    """The servers of this sandbox, each once."""
    return [*KINDS, *([MARIADB] if layout.mysql else [])]


def part(layout: Layout, kind: str) -> str:
    """The part of the sandbox that is behind a Service."""
    return kind if kind != "mysql" or layout.mysql else "mariadb"


def address(layout: Layout, kind: str) -> str:
    """The address on this machine of the server behind a Service."""
    return layout.address(part(layout, kind))


def server_user() -> str | None:
    """The user that runs database servers, None for the caller."""
    return None if os.getuid() else UNPRIVILEGED_USER


def prepare(layout: Layout, postgres_home: Path) -> None:
    """Make the data directories, and everything else that the servers read. What an earlier call left half done is done again."""
    for folder in {layout.data, layout.programs}:
        _make_folder(folder)
    install_certificates(layout)
    _initialise_mariadb(layout)
    if layout.mysql:
        _initialise_mysql(layout)
    home = usable_home(layout.programs / "postgresql-home", postgres_home, "bin/postgres")
    initialise_postgresql(layout, home, layout.data / "postgresql", ADMINISTRATOR.name, ADMINISTRATOR.password)
    write_access_rules(layout.data / "postgresql", [account.name for account in ACCOUNTS if account.must_use_tls])
    layout.path("run", "postgresql-home").write_text(str(home))


def commands(layout: Layout, postgres_home: Path) -> list[Command]:
    """How to start each server; `prepare` comes first."""
    home, folder = usable_home(layout.programs / "postgresql-home", postgres_home, "bin/postgres"), layout.data / "postgresql"
    postgresql = postgresql_arguments(home, folder, layout.address("postgresql"), layout.data / "tls", connections=600)
    programs = {MARIADB: _mariadb_arguments(layout), "postgresql": postgresql}
    if layout.mysql:
        programs["mysql"] = mysql_arguments(layout, layout.data / "mysql", layout.address("mysql"))
    return [Command(kind, argv, partial(_ready, layout, kind), server_environment(layout), server_user()) for kind, argv in programs.items()]


def _ready(layout: Layout, kind: str) -> bool:
    try:
        with administration(layout, kind):
            return True
    except (*ERRORS, OSError):
        return False


def provision(layout: Layout) -> None:
    """Make users and databases as they are from the start; passwords that somebody changed are set back, data stays."""
    for kind in servers(layout):
        if kind != "postgresql":
            _provision_mysql(layout, kind)
    if layout.mysql:
        _provision_special(layout)
    with administration(layout, "postgresql") as run:
        roles = {row[0] for row in run("SELECT rolname FROM pg_roles")}
        # Every account acts as this role, so that a registry finds the tables that another account made.
        if "registries" not in roles:
            run("CREATE ROLE registries NOLOGIN")
        for account in ACCOUNTS:
            name = _postgresql_name(account.name)
            run(f"{'ALTER' if account.name in roles else 'CREATE'} ROLE {name} LOGIN PASSWORD {_postgresql_text(account.password)}")
            if account.may_migrate:
                run(f"GRANT registries TO {name}")
                run(f"ALTER ROLE {name} SET role registries")
    for kind in servers(layout):
        create_databases(layout, kind, databases(kind))
    _make_dirty(layout)


def _provision_mysql(layout: Layout, kind: str) -> None:
    with administration(layout, kind) as run:
        for account in ACCOUNTS:
            who = f"{_mysql_text(account.name)}@'%'"
            run(f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {_mysql_text(account.password)}")
            run(f"ALTER USER {who} IDENTIFIED BY {_mysql_text(account.password)} REQUIRE {'SSL' if account.must_use_tls else 'NONE'}")
            run(f"GRANT {'ALL' if account.may_migrate else 'SELECT'} ON `%`.* TO {who}")


def _provision_special(layout: Layout) -> None:
    certificate = x509.load_pem_x509_certificate(layout.path("pki", "client.crt").read_bytes())
    subject = "".join(f"/{attribute.rfc4514_attribute_name}={attribute.value!s}" for attribute in certificate.subject)
    with administration(layout, "mysql") as run:
        plugins = {row[0] for row in run("SELECT plugin_name FROM information_schema.plugins WHERE plugin_status = 'ACTIVE'")}
        for name, rest in SPECIAL_ACCOUNTS.items():
            run(f"DROP USER IF EXISTS {_mysql_text(name)}")
            # Versions to come have no sha256_password.
            if not (plugin := re.search(r"WITH (\w+_password)", rest)) or plugin[1] in plugins:
                run(f"CREATE USER {_mysql_text(name)} " + rest.format(password=_mysql_text(REGISTRY.password), subject=_mysql_text(subject)))
                run(f"GRANT ALL ON `%`.* TO {_mysql_text(name)}")


def speaks_mysql(kind: str) -> bool:
    """Whether a server understands MySQL's protocol."""
    return kind in ("mysql", MARIADB)


def create_databases(layout: Layout, kind: str, names: Iterable[str]) -> None:
    """Make databases that every account may use; one that exists stays as it is."""
    with administration(layout, kind) as run:
        if speaks_mysql(kind):
            for name in names:
                run(f"CREATE DATABASE IF NOT EXISTS {_mysql_name(name)} CHARACTER SET utf8mb4")
        else:
            existing = {row[0] for row in run("SELECT datname FROM pg_database")}
            for name in names:
                if name not in existing:
                    run(f"CREATE DATABASE {_postgresql_name(name)} OWNER registries STRATEGY file_copy")


def drop_database(layout: Layout, kind: str, name: str) -> None:
    """Remove a database, whoever uses it."""
    with administration(layout, kind) as run:
        run(f"DROP DATABASE IF EXISTS {_mysql_name(name)}" if speaks_mysql(kind) else f"DROP DATABASE IF EXISTS {_postgresql_name(name)} WITH (FORCE)")


def set_password(layout: Layout, kind: str, account: str, password: str) -> None:
    """Change an account's password on one server."""
    with administration(layout, kind) as run:
        if speaks_mysql(kind):
            run(f"ALTER USER {_mysql_text(account)}@'%' IDENTIFIED BY {_mysql_text(password)}")
        else:
            run(f"ALTER ROLE {_postgresql_name(account)} PASSWORD {_postgresql_text(password)}")


@contextlib.contextmanager
def administration(layout: Layout, kind: str, database: str | None = None) -> Iterator[Any]:
    """A function that runs one statement as the administrator and returns the rows, if any."""
    if speaks_mysql(kind):
        connection: Any = pymysql.connect(
            host=address(layout, kind),
            port=MYSQL_PORT,
            user=ADMINISTRATOR.name,
            password=ADMINISTRATOR.password,
            database=database,
            autocommit=True,
            connect_timeout=5,
            ssl=encrypted(),
        )
    else:
        connection = psycopg.connect(
            host=address(layout, kind),
            port=POSTGRESQL_PORT,
            user=ADMINISTRATOR.name,
            password=ADMINISTRATOR.password,
            dbname=database or "postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def run(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    try:
        yield run
    finally:
        connection.close()


def run_statements(layout: Layout, service: str, database: str | None, statements: Iterable[str]) -> None:
    """Run statements as the administrator and print the rows, their columns separated by tabs."""
    [kind] = [kind for kind, name in SERVICES.items() if name == service]
    with administration(layout, kind, database) as run:
        for statement in filter(None, map(str.strip, statements)):
            for row in run(statement):
                print("\t".join("NULL" if value is None else str(value) for value in row))


def environment(layout: Layout) -> dict[str, str]:
    """What somebody at the command line needs to know about the databases."""
    values = {"SANDBOX_DATABASE_CA": str(layout.path("pki", "database-ca.crt"))}
    for kind in KINDS:
        prefix = f"SANDBOX_{kind.upper()}_"
        values |= {
            prefix + "HOST": f"{SERVICES[kind]}.{DATABASE_NAMESPACE}.svc.cluster.local",
            prefix + "ADDRESS": address(layout, kind),
            prefix + "PORT": str(PORTS[kind]),
            prefix + "USER": REGISTRY.name,
            prefix + "PASSWORD": REGISTRY.password,
            prefix + "TLS_USER": TLS_ONLY.name,
            prefix + "TLS_PASSWORD": TLS_ONLY.password,
            prefix + "DATABASE": DEFAULT_DATABASE,
        }
    return values


def services(layout: Layout) -> list[dict[str, Any]]:
    """Namespace and Services of the databases. They select no pods: the API server refuses loopback addresses as endpoints, so there are none."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DATABASE_NAMESPACE}},
        *(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": DATABASE_NAMESPACE},
                "spec": {"ports": [{"name": "database", "port": PORTS[kind]}]},
            }
            for kind in SERVICES
            for name in _services_of(kind)
        ),
    ]


def service_of(namespace: str, host: str) -> tuple[str, str] | None:
    """(namespace, Service) that a host name means to a pod in `namespace` by the search domains of a cluster; None for any other name."""
    name = host.lower()
    labels = name.removesuffix(".").split(".")
    if labels[-2:] == ["cluster", "local"]:
        labels = labels[:-2]
        return (labels[1], labels[0]) if len(labels) == 3 and labels[2] == "svc" and all(labels) else None
    if name.endswith(".") or not all(labels):
        return None
    if len(labels) == 1:
        return namespace, labels[0]
    if len(labels) == 2 or (len(labels) == 3 and labels[2] == "svc"):
        return labels[1], labels[0]
    return None


def addresses(layout: Layout) -> dict[tuple[str, str], str]:
    """The address of each database by the namespace and name of its Services."""
    return {(DATABASE_NAMESPACE, name): address(layout, kind) for kind in SERVICES for name in _services_of(kind)}


def _services_of(kind: str) -> list[str]:
    return [names[kind] for names in (SERVICES, ALIASES) if kind in names]


def resolve(layout: Layout, namespace: str, host: str, generated: dict[tuple[str, str], str]) -> str | None:
    """The address on this machine of the database that `host` means to a pod in `namespace`, None when it means none.

    `generated` has the addresses of the PostgreSQL servers that run as pods, by the namespace and name of their Service.
    """
    known = addresses(layout) | generated
    if host in known.values():
        return host
    service = service_of(namespace, host)
    return known.get(service) if service else None


# --- installations


def usable_home(copy: Path, home: Path, program: str) -> Path:
    """An installation with this program that the servers' user can read: `home`, or a copy of it."""
    user = server_user()
    if user is None or _can_read(home / program, user):
        return home
    source = copy.with_name(copy.name + ".source")
    wanted = f"{home} {(home / program).stat().st_mtime_ns}"
    if not source.exists() or source.read_text() != wanted:
        source.unlink(missing_ok=True)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy, symlinks=True, copy_function=_linked)
        copy.chmod(0o755)
        source.write_text(wanted)
    return copy


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system.
        shutil.copy2(source, target)


def _can_read(path: Path, user: str) -> bool:
    return subprocess.run(["test", "-r", path], check=False, cwd="/", **unprivileged(user)).returncode == 0


# --- data directories


def _make_folder(folder: Path) -> None:
    # The folder may be in a place where anybody can make one first.
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o755, parents=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise RuntimeError(f"{folder} belongs to somebody else: remove it")
    folder.chmod(0o755)


def make_server_folder(folder: Path) -> None:
    """A folder that only the servers' user can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    give_to_server(folder)


def give_to_server(path: Path) -> None:
    if user := server_user():
        shutil.chown(path, user, -1)


def begin(folder: Path) -> bool:
    """Whether `folder` has to be filled; emptied then. `finish` says that it is complete."""
    if _marker(folder).exists():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    make_server_folder(folder)
    return True


def finish(folder: Path) -> None:
    """Say that `folder` is complete."""
    _marker(folder).touch()


def _marker(folder: Path) -> Path:
    return folder.with_name(folder.name + ".complete")


def install_certificates(layout: Layout) -> None:
    """Copy the databases' certificate to where the servers' user can read it."""
    folder = layout.data / "tls"
    make_server_folder(folder)
    for name in ("database.crt", "database.key", "database-ca.crt"):
        copy = folder / name
        draft = folder / (name + ".new")
        draft.write_bytes(layout.path("pki", name).read_bytes())
        draft.chmod(0o600)
        give_to_server(draft)
        draft.replace(copy)


def change_certificate(layout: Layout, chain: bytes, key: bytes, authority: bytes = b"") -> None:
    """Let all servers show another certificate to new connections, until `restore_certificate`. `authority`: the CA that signed it, if another one did.

    MySQL takes no certificate that its own CA did not sign.
    """
    folder = layout.data / "tls"
    for name, content in (("database.crt", chain), ("database.key", key), ("database-ca.crt", layout.path("pki", "database-ca.crt").read_bytes() + authority)):
        draft = folder / (name + ".new")
        draft.write_bytes(content)
        draft.chmod(0o600)
        give_to_server(draft)
        draft.replace(folder / name)
    _reload_certificates(layout)


def restore_certificate(layout: Layout) -> None:
    """Let all servers show the sandbox's own certificate again."""
    install_certificates(layout)
    _reload_certificates(layout)


def _reload_certificates(layout: Layout) -> None:
    with administration(layout, MARIADB) as run:
        run("FLUSH SSL")
    with administration(layout, "postgresql") as run:
        run("SELECT pg_reload_conf()")
    if layout.mysql:
        with administration(layout, "mysql") as run:
            run("ALTER INSTANCE RELOAD TLS")


def _run(layout: Layout, argv: list[str], cwd: Path, text: str = "") -> None:
    identity = unprivileged(server_user())
    result = subprocess.run(
        [*dies_with_parent(), *argv], check=False, cwd=cwd, capture_output=True, text=True, input=text, env=server_environment(layout), **identity
    )
    if result.returncode:
        raise RuntimeError(f"{argv[0]} failed: {(result.stderr or result.stdout).strip()[-2000:]}")


def unprivileged(user: str | None) -> dict[str, Any]:
    """The arguments of `subprocess` that make a process run as this user."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def server_environment(layout: Layout) -> dict[str, str]:
    """What a database server finds in its environment, on any machine; with the marker by which what a killed start has begun is found."""
    return {MARKER: layout.state, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


# --- MariaDB


def _binary(*names: str) -> str:
    for name in names:
        if found := shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/libexec"):
            return found
    raise RuntimeError(f"{names[0]} is not installed: install the package mariadb-server-core (Debian) or mariadb-server")


def _initialise_mariadb(layout: Layout) -> None:
    folder = layout.data / "mariadb"
    if begin(folder):
        server = _mariadb_binary()
        scripts = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n" + "".join(path.read_text() for path in _system_tables(server))
        # Logins without a password are among what the scripts make.
        scripts += "\nDELETE FROM global_priv WHERE User IN ('root', '');\n"
        # A server that starts removes the temporary tables that it finds in its folder for them, also those of another one.
        options = [f"--datadir={folder}", f"--tmpdir={folder}", "--bootstrap", "--innodb-log-file-size=16M", "--innodb-flush-method=nosync", "--log-warnings=0"]
        _run(layout, [server, "--no-defaults", *options], folder, scripts)
        finish(folder)
    # Read at every start, one statement a line: the only way in before there is a user.
    start = layout.data / "mariadb.sql"
    who = f"{_mysql_text(ADMINISTRATOR.name)}@'%'"
    start.write_text(f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {_mysql_text(ADMINISTRATOR.password)};\nGRANT ALL ON *.* TO {who} WITH GRANT OPTION;\n")


def _mariadb_binary() -> str:
    for name in ("mariadbd", "mysqld"):
        if found := shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/libexec"):
            return found
    raise RuntimeError("MariaDB is not installed: install the package mariadb-server-core (Debian) or mariadb-server")


def _system_tables(server: str) -> list[Path]:
    """The SQL files that make a server's own tables; `mariadb-install-db` runs them too, and needs packages that nothing else here needs."""
    for share in (Path(server).resolve().parent.parent / "share" / name for name in ("mysql", "mariadb")):
        for prefix in ("mariadb", "mysql"):
            files = [share / f"{prefix}_{name}.sql" for name in ("system_tables", "system_tables_data")]
            if all(file.exists() for file in files):
                return files
    raise RuntimeError(f"no mysql_system_tables.sql belongs to {server}: install the package mariadb-server-core (Debian) or mariadb-server")


def _mariadb_arguments(layout: Layout) -> list[str]:
    folder, tls = layout.data / "mariadb", layout.data / "tls"
    options = {
        "datadir": folder,
        "tmpdir": folder,
        "bind-address": layout.address("mariadb"),
        "port": MYSQL_PORT,
        # Relative to the data directory: a socket's path may have 107 characters at most.
        "socket": "mariadb.sock",
        "pid-file": "mariadb.pid",
        "init-file": layout.data / "mariadb.sql",
        "ssl-cert": tls / "database.crt",
        "ssl-key": tls / "database.key",
        "ssl-ca": tls / "database-ca.crt",
        "character-set-server": "utf8mb4",
        # Every registry holds one, and two while it is restarted.
        "max-connections": 3000,
        "innodb-buffer-pool-size": "24M",
        "innodb-log-file-size": "16M",
        "innodb-log-buffer-size": "2M",
        "innodb-flush-log-at-trx-commit": 0,
        "innodb-flush-method": "nosync",
        "innodb-doublewrite": 0,
        "innodb-read-io-threads": 2,
        "innodb-write-io-threads": 2,
        "innodb-purge-threads": 1,
        "sync-frm": 0,
        "aria-pagecache-buffer-size": "2M",
        "key-buffer-size": "1M",
        "query-cache-size": 0,
        "thread-cache-size": 8,
        "table-open-cache": 1000,
        "performance-schema": "OFF",
    }
    return [_mariadb_binary(), "--no-defaults", "--skip-name-resolve", "--skip-log-bin", *(f"--{name}={value}" for name, value in options.items())]


# --- MySQL


def mysql_home(layout: Layout) -> Path:
    """The folder of the MySQL server that the servers' user can read."""
    return usable_home(layout.programs / "mysql-home", Path(layout.mysql), "usr/sbin/mysqld")


def _initialise_mysql(layout: Layout) -> None:
    who = f"{_mysql_text(ADMINISTRATOR.name)}@'%'"
    statements = (
        f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {_mysql_text(ADMINISTRATOR.password)}",
        f"GRANT ALL ON *.* TO {who} WITH GRANT OPTION",
        # It has no password.
        "DROP USER IF EXISTS root@localhost",
    )
    (layout.data / "mysql.sql").write_text("".join(f"{statement};\n" for statement in statements))
    initialise_mysql(layout, layout.data / "mysql")


def initialise_mysql(layout: Layout, folder: Path, *options: str) -> None:
    """Make a data directory of MySQL; nothing to do for one that is complete. Some options count only then."""
    if begin(folder):
        command = [*toolchain.mysql_program(mysql_home(layout)), "--no-defaults", "--initialize-insecure", f"--datadir={folder}", *options]
        _run(layout, [*command, *_mysql_options(layout, folder)], folder)
        finish(folder)


def mysql_arguments(layout: Layout, folder: Path, address: str, *options: str) -> list[str]:
    """How to start a MySQL server that listens on one address, with the certificate and the administrator of the sandbox."""
    tls = layout.data / "tls"
    settings = {
        "bind-address": address,
        "port": MYSQL_PORT,
        "init-file": layout.data / "mysql.sql",
        "ssl-cert": tls / "database.crt",
        "ssl-key": tls / "database.key",
        "ssl-ca": tls / "database-ca.crt",
        # Every registry holds one, and two while it is restarted.
        "max-connections": 3000,
        "table-open-cache": 400,
        "thread-cache-size": 8,
    }
    start = [*toolchain.mysql_program(mysql_home(layout)), "--no-defaults", f"--datadir={folder}", "--skip-name-resolve", "--skip-log-bin"]
    return [*start, *_mysql_options(layout, folder), *(f"--{name}={value}" for name, value in settings.items()), *options]


def _mysql_options(layout: Layout, folder: Path) -> list[str]:
    share = mysql_home(layout) / "usr"
    settings = {
        "basedir": share,
        "lc-messages-dir": share / "share" / "mysql",
        "tmpdir": folder,
        "secure-file-priv": "NULL",
        "mysqlx": "OFF",
        # Relative to the data directory: a socket's path may have 107 characters at most.
        "socket": "mysql.sock",
        "pid-file": "mysql.pid",
        "log-error-verbosity": 1,
        "innodb-buffer-pool-size": "24M",
        "innodb-redo-log-capacity": "16M",
        "innodb-log-buffer-size": "2M",
        "innodb-flush-log-at-trx-commit": 0,
        "innodb-flush-method": "nosync",
        "innodb-doublewrite": 0,
        "performance-schema": "OFF",
    }
    return [f"--{name}={value}" for name, value in settings.items()]


def _mysql_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _mysql_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


# --- PostgreSQL


def initialise_postgresql(layout: Layout, home: Path, folder: Path, administrator: str, password: str) -> None:
    """Make a data directory whose superuser has a password; nothing to do for one that is complete."""
    if not begin(folder):
        return
    secret = layout.data / (folder.name + ".password")
    secret.touch(mode=0o600)
    secret.write_text(password)
    give_to_server(secret)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    _run(layout, [str(home / "bin" / "initdb"), f"--pgdata={folder}", f"--username={administrator}", f"--pwfile={secret}", *options], layout.data)
    secret.unlink()
    finish(folder)


def copy_new_postgresql(layout: Layout, home: Path, folder: Path, administrator: str, password: str) -> None:
    """As `initialise_postgresql`, from a copy that is made once for each administrator: initdb takes half a second of CPU."""
    new = layout.data / f"postgresql-of-{administrator}"
    with _ONE_COPY:
        initialise_postgresql(layout, home, new, administrator, password)
    if begin(folder):
        _run(layout, ["cp", "-a", f"{new}/.", str(folder)], folder)
        finish(folder)


def remove_data(folder: Path) -> None:
    """Remove a data directory with its data."""
    _marker(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def write_access_rules(folder: Path, tls_only: Iterable[str]) -> None:
    """Say who may connect to a server how: everybody with a password, and some only with TLS."""
    rules = [f"hostssl all {name} all scram-sha-256\nhostnossl all {name} all reject\n" for name in tls_only]
    path = folder / "pg_hba.conf"
    path.write_text("".join(rules) + "host all all all scram-sha-256\n")
    give_to_server(path)


def installed_home(layout: Layout) -> Path:
    """The PostgreSQL installation that `prepare` found usable."""
    return Path(layout.path("run", "postgresql-home").read_text())


def postgresql_arguments(home: Path, folder: Path, address: str, tls: Path | None, connections: int) -> list[str]:
    """How to start a PostgreSQL server that listens on one address, with TLS when there is a folder of certificates."""
    settings = {
        "listen_addresses": address,
        "port": str(POSTGRESQL_PORT),
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "64MB",
        "min_wal_size": "32MB",
        "shared_buffers": "8MB",
        # In the folder: what a killed server has left elsewhere would stay until the machine is started again.
        "dynamic_shared_memory_type": "mmap",
        "max_connections": str(connections),
        "max_worker_processes": "2",
        "max_parallel_workers": "0",
        "autovacuum": "off",
        "jit": "off",
        "log_timezone": "UTC",
    }
    if tls:
        settings |= {"ssl": "on", "ssl_cert_file": str(tls / "database.crt"), "ssl_key_file": str(tls / "database.key")}
    argv = [str(home / "bin" / "postgres"), "-D", str(folder)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return argv


def _postgresql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _postgresql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _make_dirty(layout: Layout) -> None:
    for kind in servers(layout):
        boolean = "1" if speaks_mysql(kind) else "true"
        with administration(layout, kind, DIRTY_DATABASE) as run:
            if kind == "postgresql":
                run("SET ROLE registries")
            run("CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)")
            run("DELETE FROM schema_migrations")
            run(f"INSERT INTO schema_migrations (version, dirty) VALUES ({DIRTY_VERSION}, {boolean})")
