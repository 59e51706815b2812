"""Descriptions of the API's routes: for OpenAPI, and for people."""

from collections.abc import Mapping, Sequence
from typing import Any


def success(form: Any) -> dict[int | str, dict[str, Any]]:
    """The model of a route's answer with status 200, for OpenAPI."""
    return {200: {"model": form}}


def described_addresses(document: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """The routes of an OpenAPI document: method, path, and summary."""
    paths = sorted(document["paths"].items())
    return [(method.upper(), path, asked.get("summary", "")) for path, methods in paths for method, asked in methods.items()]
