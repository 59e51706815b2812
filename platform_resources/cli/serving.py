"""The command `mesh serve`: the marketplace on this computer."""

import socket
from contextlib import suppress
from typing import Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop, words
from platform_resources.repository.mesh_repository import mesh_root

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port; 0 takes any that is free.", min=0, max=65535)] = 8080,
    host: Annotated[str, typer.Option(help="Where to listen: this computer only, until there is sign-in.")] = LOOPBACK[0],
    reader: Annotated[
        str | None, typer.Option("--as", help="Show it as this person, team:name or product:name sees it; whole if left out.")
    ] = None,
) -> None:
    """Show the marketplace in a browser: find products, and see why to trust them. Ends with Ctrl-C."""
    if host not in LOOPBACK:
        stop(f'--host is "{host}"; allowed: {", ".join(LOOPBACK)}, as nobody has to sign in', CANNOT_RUN)
    if reader is not None and not reader.strip():
        stop("--as is empty; say who reads, or leave the option out", CANNOT_RUN)
    root = mesh_root(context.obj)
    try:
        import uvicorn

        from platform_resources.marketplace.application import application, at_this_computer, shown_as
    except ModuleNotFoundError as error:
        stop(f'the marketplace needs {error.name}; install the extra "marketplace"', CANNOT_RUN)
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.marketplace.kept_view import opened_market

    try:
        market = opened_market(root)
    except LedgerUnavailable as error:
        stop(str(error), CANNOT_RUN)
    who = shown_as(reader) if reader is not None else at_this_computer
    server = uvicorn.Server(uvicorn.Config(application(market, who=who), log_level="warning", server_header=False))
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        taken = listening.getsockname()[1]
        words.print(f"marketplace: http://{f'[{host}]' if ':' in host else host}:{taken}", highlight=False)
        server.run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        stop(
            f"port {port} of {host} cannot be listened on: {error.strerror}\n--port chooses another one; 0 takes any that is free",
            CANNOT_RUN,
        )
