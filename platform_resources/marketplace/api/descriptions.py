"""What is said of the addresses of the JSON: for OpenAPI, and to people."""

from collections.abc import Mapping, Sequence
from typing import Any


def success(form: Any) -> dict[int | str, dict[str, Any]]:
    """What a route answers with, for OpenAPI."""
    return {200: {"model": form}}


def described_addresses(document: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """The addresses of an OpenAPI document: how each is asked (GET, POST), and what it gives or does."""
    paths = sorted(document["paths"].items())
    return [(method.upper(), path, asked.get("summary", "")) for path, methods in paths for method, asked in methods.items()]
