"""Read DuckDB's profile of a statement: what it read, kept and spilled. No text of a filter is taken over, since it may quote values."""

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from platform_resources.capabilities.work import ModelWork, Scan


def model_work(model: str, profile: str, seconds: float, cpu_seconds: float) -> ModelWork | None:
    """What a statement that makes a table did, by the JSON of its profile; None for others, such as one that gives a table another name."""
    read = json.loads(profile)
    if not {"operator", "query", "system"} <= read.keys():
        return None
    nodes = [node for top in read["operator"] for node in _nodes(top)]
    if not any(map(_writes, nodes)):
        return None
    scans = tuple(_scan(node) for node in nodes if "rows_scanned" in node)
    query, system = read["query"], read["system"]
    return ModelWork(
        model,
        seconds,
        cpu_seconds,
        int(query.get("total_rows_scanned", sum(scan.rows for scan in scans))),
        _kept(nodes),
        int(query.get("total_intermediate_rows", 0)),
        int(system.get("peak_temp_dir_size", 0)),
        scans,
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        yield from _nodes(child)


def _writes(node: dict[str, Any]) -> bool:
    return "CREATE_TABLE" in node["type"] or node["type"] in ("INSERT", "BATCH_INSERT")


def _kept(nodes: list[dict[str, Any]]) -> int:
    """The rows of what is written: those of the step below the one that writes. One that shares a part gives what its last step gives."""
    below = next((node["children"][0] for node in nodes if _writes(node) and node.get("children")), None)
    while below is not None and below["type"] == "CTE":
        below = below["children"][-1]
    return int(below.get("intermediate_rows", 0)) if below is not None else 0


def _scan(node: dict[str, Any]) -> Scan:
    details = node["extra_info"]
    name = str(details.get("Table") or _file(details)).rpartition(".")[2] if "Table" in details else _file(details)
    return Scan(name, int(node["rows_scanned"]), _count(details.get("Projections")), _count(details.get("Filters")))


def _file(details: dict[str, Any]) -> str:
    files = details.get("Filename(s)")
    first = files[0] if isinstance(files, list) and files else str(files or details.get("Function", "a file"))
    return PurePath(str(first)).name


def _count(listed: Any) -> int:
    return len(listed) if isinstance(listed, list) else int(bool(listed))
