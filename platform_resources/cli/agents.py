"""The command `mesh mcp`: the marketplace as tools for an agent on this computer."""

import os
from typing import Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop
from platform_resources.repository.mesh_repository import mesh_root
from platform_resources.settings import TOKEN


def mcp(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="A marketplace elsewhere, such as https://market.example.com; this mesh if left out.")] = "",
    reader: Annotated[str | None, typer.Option("--as", help="Read as this person, team:name or product:name; whole if left out.")] = None,
) -> None:
    """Serve the marketplace as tools to an agent, over standard input and output (Model Context Protocol)."""
    if reader is not None and (not reader.strip() or url):
        stop("--as names who reads of this mesh; elsewhere the token of MESH_TOKEN says it", CANNOT_RUN)
    try:
        from platform_resources.marketplace.application import application, shown_as
        from platform_resources.marketplace.kept_view import opened_market
        from platform_resources.mcp.api_calls import Api
        from platform_resources.mcp.tools import mesh_tools
    except ModuleNotFoundError as error:
        stop(f'tools for agents need {error.name}; install the extras "marketplace" and "mcp"', CANNOT_RUN)
    from platform_resources.ledger.database import LedgerUnavailable

    if url:
        api = Api(url.rstrip("/"))
    else:
        try:
            app = application(opened_market(mesh_root(context.obj)), watch=False, who=shown_as(reader) if reader else None)
        except LedgerUnavailable as error:
            stop(str(error), CANNOT_RUN)
        api = Api(app=app)
    mesh_tools(api, TOKEN.value(os.environ)).run("stdio")
