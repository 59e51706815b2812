"""Call a marketplace's JSON API, in this process or on a remote server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

HERE = "http://127.0.0.1"
# Longer than a query may take, with its time in the queue.
SECONDS = 90.0


class CallRefused(Exception):
    """Raised if a call gets no answer; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Api:
    """The address of the JSON API; with `app` it is called without a network."""

    address: str = HERE
    app: FastAPI | None = None

    async def ask(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """The JSON at this path. Raises CallRefused."""
        transport = httpx.ASGITransport(self.app) if self.app is not None else None
        async with httpx.AsyncClient(base_url=self.address, transport=transport, timeout=SECONDS) as client:
            try:
                asked = {name: value for name, value in query.items() if value not in (None, "")}
                if body is None:
                    answer = await client.get(f"/api/v1/{path}", params=asked, headers=headers)
                else:
                    answer = await client.post(f"/api/v1/{path}", params=asked, headers=headers, json=body)
            except httpx.HTTPError as error:
                raise CallRefused(f"{self.address} does not answer: {type(error).__name__}") from error
        if answer.is_success:
            return answer.json()
        try:
            refusal = answer.json()
            raise CallRefused("; ".join(filter(None, (refusal["error"], refusal.get("hint")))))
        except (ValueError, KeyError, TypeError):
            raise CallRefused(f"{answer.status_code}: {answer.text[:500]}") from None
