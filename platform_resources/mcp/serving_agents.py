"""Serve `/mcp` beside the marketplace's pages, with the same access checks, tokens and limits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from mcp.server.transport_security import TransportSecuritySettings

from platform_resources.marketplace.api.acting_routes import TakeResults
from platform_resources.marketplace.application import served_mesh
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.mcp.api_calls import Api
from platform_resources.mcp.tools import mesh_tools


def with_agents(app: FastAPI) -> FastAPI:
    """Add the agent tools to an application before it starts serving."""
    # Host and origin are the guard's to check, which knows all names of this server. Each request brings its token: none needs a session.
    tools = mesh_tools(Api(app=app)).streamable_http_app(
        streamable_http_path="/mcp",
        stateless_http=True,
        json_response=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.extend(tools.routes)
    pages = app.router.lifespan_context

    @asynccontextmanager
    async def both(served: Any) -> AsyncIterator[Any]:
        async with pages(served) as state, tools.router.lifespan_context(tools):
            yield state

    app.router.lifespan_context = both
    return app


def served_with_agents(root: Path, auth: AuthSettings, reader: str | None, take: TakeResults | None = None) -> FastAPI:
    """The marketplace with `/mcp`; arguments as for `served_mesh`."""
    return with_agents(served_mesh(root, auth, reader, take))
