"""datacontract-cli: an ODCS contract. Per column it takes one least, greatest, pattern and list of values, which it fuses; the rest is SQL."""

import json
from pathlib import Path
from typing import Any

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition, duplicates_sql

# What a property may say once, with the type that its check then has.
_ONCE = {"null": "field_required", "accepted": "field_enum", "pattern": "field_regex"}


def files(job: Job) -> dict[str, str]:
    native = _native(job.checks)
    schema = {
        "name": job.relation,
        "physicalName": job.relation,
        "properties": [_property(name, kind, native) for name, kind in job.columns],
        "quality": [_sql(check, job.relation) for check in job.checks if check not in native.values()],
    }
    server = {"server": "warehouse", "type": "duckdb", "database": job.database, "schema": "internal"}
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "audit", "version": "1.0.0", "status": "active", "name": "audit"}
    return {"contract.yaml": json.dumps({**contract, "servers": [server], "schema": [schema]})}


def _native(checks: tuple[Check, ...]) -> dict[tuple[str, str], Check]:
    """The first check of each kind for each column; a range is two checks there, whose counts would have to be added, so it is SQL."""
    found: dict[tuple[str, str], Check] = {}
    for check in checks:
        if check.kind in _ONCE:
            found.setdefault((check.column, _ONCE[check.kind]), check)
    return found


def _property(name: str, kind: str, native: dict[tuple[str, str], Check]) -> dict[str, Any]:
    text = kind.startswith("varchar")
    options: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    if (name, "field_required") in native:
        extra["required"] = True
    if (name, "field_regex") in native:
        options["pattern"] = f"^({native[name, 'field_regex'].text})$"
    if (name, "field_enum") in native:
        extra["enum"] = [{"value": value} for value in native[name, "field_enum"].values]
    said = {"name": name, "logicalType": "string" if text else "number" if kind == "double" else "integer", **extra}
    return {**said, "logicalTypeOptions": options} if options else said


def _sql(check: Check, relation: str) -> dict[str, Any]:
    if check.kind == "duplicates":
        query = duplicates_sql(check.columns, relation)
    else:
        query = f"select count(*) from {relation} where {condition(check)}"
    return {"type": "sql", "description": check.id, "query": query, "mustBe": 0}


def run(job: Job) -> Answer:
    from datacontract.data_contract import DataContract

    native = {(column, kind): check.id for (column, kind), check in _native(job.checks).items()}
    done = DataContract(data_contract_file=str(Path(job.folder, "contract.yaml"))).test()
    answer = {}
    for each in done.checks:
        id = native.get((each.field, each.type), each.name)
        if any(check.id == id for check in job.checks):
            if "value" not in (each.diagnostics or {}):
                raise SystemExit(f"{id}: {each.reason}")
            answer[id] = each.diagnostics["value"], each.result.value == "passed"
    return answer


if __name__ == "__main__":
    answers(run)
