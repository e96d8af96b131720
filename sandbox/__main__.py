"""The sandbox's command line: `python -m sandbox --help`; the Makefile calls it."""

from __future__ import annotations

import argparse
import sys

from sandbox import databases, faults, lifecycle, processes
from sandbox.generations import GENERATIONS
from sandbox.layout import PLATFORMS, Layout
from sandbox.toolchain import ToolchainError


def main(argv: list[str]) -> int:
    if argv[:1] == ["fault"]:
        return faults.main(argv[1:])
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the sandbox, or do nothing when it runs")
    up.add_argument("--product", choices=GENERATIONS, default="3.x", help="the generation of OpenShift AI")
    up.add_argument("--platform", choices=PLATFORMS, default="openshift", help="with OpenShift's APIs or without")
    commands.add_parser("down", help="stop the sandbox and remove its files")
    upgrade = commands.add_parser("upgrade", help="install another generation over the running sandbox")
    upgrade.add_argument("product", choices=GENERATIONS)
    for name in ("start", "stop"):
        part = commands.add_parser(name, help=f"{name} one part")
        part.add_argument("part", choices=lifecycle.PARTS)
    sql = commands.add_parser("sql", help="run SQL as the administrator of a database server")
    sql.add_argument("service", choices=databases.SERVICES.values(), help="the Service behind which the server is")
    sql.add_argument("statement", nargs="*", help="one or more statements; without any, they are read from the standard input, each ended by a semicolon")
    sql.add_argument("--database", help="the database to use")
    commands.add_parser("fault", help="make the sandbox misbehave: fault --help")
    options = parser.parse_args(argv)
    try:
        if options.command == "up":
            lifecycle.up(options.product, options.platform)
        elif options.command == "down":
            lifecycle.down()
        elif options.command == "upgrade":
            lifecycle.upgrade(options.product)
        elif options.command == "start":
            lifecycle.start(Layout.load(), options.part)
        elif options.command == "sql":
            databases.run_statements(Layout.load(), options.service, options.database, options.statement or sys.stdin.read().split(";"))
        elif options.command == "stop":
            processes.stop(Layout.load(), options.part)
    except (processes.ProcessError, ToolchainError, ValueError, *databases.ERRORS) as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError:
        print("there is no sandbox in this checkout: `make sandbox` starts one", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
