"""The tools for agents: search, describe, trust, query and request access, each one call of the JSON API."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from platform_resources.mcp.api_calls import Api, CallRefused

INSTRUCTIONS = """\
Data products of one company. Search for what you need, describe a product before you query it, and look at its trust before you rely on it:
say in your answer as of when the data is and what is not well. Tables are called product.data_set. You read as the person whose token this
is; where access is missing, request_access asks the owner, who decides.
"""
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ACTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
Product = Annotated[str, Field(description="the name of a product, as search gives it")]
# What describe leaves out: trust tells it.
OF_TRUST = ("health", "promises", "trust", "over_time")
_Ask = Callable[..., Awaitable[Any]]


def mesh_tools(api: Api, token: str = "") -> MCPServer[Any]:
    """The MCP server with all tools. `token` is used for callers without one, as on a terminal."""
    server: MCPServer[Any] = MCPServer("mesh", title="Data market", instructions=INSTRUCTIONS, log_level="WARNING")

    async def ask(context: Context[Any, Any], path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        try:
            return await api.ask(path, _identity(context, token), body, **query)
        except CallRefused as error:
            raise ToolError(str(error)) from error

    _add_finding(server, ask)
    _add_using(server, ask)
    return server


def _add_finding(server: MCPServer[Any], ask: _Ask) -> None:
    @server.tool(annotations=READS)
    async def search(
        context: Context[Any, Any],
        words: Annotated[str, Field(description="what is looked for; typing errors are forgiven", max_length=200)],
        domain: Annotated[str, Field(description="only products of this domain")] = "",
        health: Annotated[str, Field(description="only these: healthy, use with care, unknown, unhealthy")] = "",
    ) -> dict[str, Any]:
        """Find data products, and tables, columns and queries in them. The best come first, with why each was found."""
        answer = await ask(context, "search", q=words, domain=domain, health=health)
        return {name: answer[name] for name in ("products", "parts") if name in answer}

    @server.tool(annotations=READS)
    async def describe(context: Context[Any, Any], product: Product) -> dict[str, Any]:
        """What a product is: purpose, owners, tables with their columns, output ports, sample queries, roles that one may ask for."""
        described = await ask(context, f"products/{quote(product, safe='')}")
        return {name: value for name, value in described.items() if name not in OF_TRUST}

    @server.tool(annotations=READS)
    async def trust(context: Context[Any, Any], product: Product) -> dict[str, Any]:
        """Whether a product can be relied on now: its health and why, each promise with what was measured, open incidents, its use."""
        described = await ask(context, f"products/{quote(product, safe='')}")
        return {name: described[name] for name in ("name", "as_of", "health", "promises", "trust") if name in described}


def _add_using(server: MCPServer[Any], ask: _Ask) -> None:
    @server.tool(annotations=READS)
    async def query(
        context: Context[Any, Any],
        sql: Annotated[str, Field(description="one SELECT in DuckDB's SQL; tables are called product.data_set; say a limit")],
        product: Annotated[str, Field(description="tables of this product need no name before the point")] = "",
    ) -> dict[str, Any]:
        """Run one SELECT over the newest versions of everything that the person may read. Every value comes as a text, null as null."""
        answer: dict[str, Any] = await ask(context, "query", {"sql": sql, "product": product})
        return answer

    @server.tool(annotations=ACTS)
    async def request_access(
        context: Context[Any, Any],
        product: Product,
        role: Annotated[str, Field(description="a role of one of the product's agreements, as describe lists them")],
        purpose: Annotated[str, Field(description="what the data is for, for the owner who decides")],
        attributes: Annotated[dict[str, str] | None, Field(description="a value for each attribute of the role")] = None,
        columns: Annotated[list[str] | None, Field(description="the columns that are needed, for the owner who decides")] = None,
    ) -> dict[str, Any]:
        """Ask the owner of a product for a role of it, in the name of the person. Ask the person first."""
        body = {"role": role, "purpose": purpose, "attributes": attributes or {}, "columns": columns or []}
        answer: dict[str, Any] = await ask(context, f"products/{quote(product, safe='')}/access", body)
        return answer


def _identity(context: Context[Any, Any], token: str) -> dict[str, str]:
    """The caller's own token, never another one where they have sent one."""
    sent = (context.headers or {}).get("authorization", "")
    written = sent or (f"Bearer {token}" if token else "")
    return {"authorization": written} if written else {}
