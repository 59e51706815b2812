"""Read data from a remote marketplace: `Marketplace(address).records(port).to_pandas()`.

Needs the extra `client`, and nothing of a mesh on this computer.
"""

import json
import os
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from io import BytesIO
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from platform_resources.settings import TOKEN

ARROW = "application/vnd.apache.arrow.stream"
SECONDS = 120.0


class MarketplaceRefused(Exception):
    """Raised if a request fails; says why and what to do. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class _Here(HTTPRedirectHandler):
    """Follows no redirect: the token is meant for this server only."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Marketplace:
    """A client of one marketplace, as the owner of the token, by default that of `MESH_TOKEN`."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address.rstrip("/")
        self._token = TOKEN.value(os.environ) if token is None else token
        self._open = build_opener(_Here).open
        split = urlsplit(self.address)
        if self._token and split.scheme != "https" and split.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(f"a token is sent over https only, not to {self.address}")

    def records(
        self,
        port: str,
        *,
        columns: Sequence[str] = (),
        where: Sequence[str] = (),
        sort: Sequence[str] = (),
        limit: int | None = None,
        version: str = "",
    ) -> Any:
        """The records of a port, `domain/product/port`, as an Arrow table: all, or the first `limit`.

        A condition is written COLUMN:OPERATOR:VALUE, as in `degrees:ge:20`. Raises MarketplaceRefused.
        """
        return self._page(port, _asked(columns, where, sort, limit, version))[0]

    def pages(
        self,
        port: str,
        rows: int = 100_000,
        *,
        columns: Sequence[str] = (),
        where: Sequence[str] = (),
        sort: Sequence[str] = (),
        version: str = "",
    ) -> Iterator[Any]:
        """The records in Arrow tables of at most `rows` rows, all from one version."""
        asked, after = _asked(columns, where, sort, rows, version), ""
        while True:
            table, after = self._page(port, [*asked, ("after", after)] if after else asked)
            if table.num_rows:
                yield table
            if not after:
                return

    def query(self, sql: str, product: str = "") -> Any:
        """The result of a SELECT as an Arrow table, every value as text. Raises MarketplaceRefused."""
        import pyarrow as pa  # type: ignore[import-untyped]

        answer = json.loads(self._ask("query", body={"sql": sql, "product": product})[0])
        columns = list(zip(*answer["rows"], strict=True)) or [()] * len(answer["columns"])
        return pa.Table.from_arrays([pa.array(list(values), pa.string()) for values in columns], names=answer["columns"])

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at a path under `/api/v1`, such as `products/orders`. Raises MarketplaceRefused."""
        return json.loads(self._ask(path, list(query.items()))[0])

    def _page(self, port: str, asked: Sequence[tuple[str, str]]) -> tuple[Any, str]:
        import pyarrow as pa

        body, headers = self._ask(f"ports/{quote(port)}/records", asked, accept=ARROW)
        return pa.ipc.open_stream(BytesIO(body)).read_all(), headers.get("mesh-next", "")

    def _ask(
        self, path: str, query: Sequence[tuple[str, Any]] = (), accept: str = "application/json", body: Any = None
    ) -> tuple[bytes, dict[str, str]]:
        request = Request(f"{self.address}/api/v1/{path}{f'?{urlencode(query)}' if query else ''}", headers={"accept": accept})
        if self._token:
            request.add_header("authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            with self._open(request, timeout=SECONDS) as answer:
                # One that breaks off is shorter than it says, which reading all of it notices.
                return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
        except HTTPError as error:
            raise MarketplaceRefused(_told(error.read()) or f"{error.code} {error.reason}", error.code) from None
        except (URLError, HTTPException, OSError) as error:
            raise MarketplaceRefused(f"{self.address} does not answer: {error}") from error


def _asked(columns: Sequence[str], where: Sequence[str], sort: Sequence[str], limit: int | None, version: str) -> list[tuple[str, str]]:
    query = [("columns", ",".join(columns)), ("sort", ",".join(sort)), ("limit", str(limit or "")), ("version", version)]
    return [*((name, value) for name, value in query if value), *(("where", condition) for condition in where)]


def _told(body: bytes) -> str:
    try:
        refusal = json.loads(body)
        return "; ".join(filter(None, (refusal["error"], refusal.get("hint"))))
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")[:500]
