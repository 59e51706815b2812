"""Soda Core 4 (soda-duckdb): a data contract with one check each, which Soda puts into few queries itself."""

import json
from pathlib import Path
from typing import Any

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition


def files(job: Job) -> dict[str, str]:
    columns = [{"name": name, "checks": [_check(check) for check in job.checks if _of_column(check) == name]} for name, _ in job.columns]
    whole = [_check(check) for check in job.checks if _of_column(check) is None]
    contract = {
        "dataset": f"warehouse/internal/{job.relation}",
        "columns": [column if column["checks"] else {"name": column["name"]} for column in columns],
        **({"checks": whole} if whole else {}),
    }
    connection = {"database": job.database, "schema": "internal", "read_only": True}
    source = {"type": "duckdb", "name": "warehouse", "connection": connection}
    return {"contract.yml": json.dumps(contract), "source.yml": json.dumps(source)}


def _of_column(check: Check) -> str | None:
    """Soda counts duplicates of one column by itself, those of several by a hash of the row."""
    return check.column if check.kind in ("null", "range", "accepted", "pattern") or len(check.columns) == 1 else None


def _check(check: Check) -> dict[str, Any]:
    named = {"name": check.id, "qualifier": check.id}
    match check.kind:
        case "null":
            return {"missing": named}
        case "range":
            return {"invalid": {**named, "valid_min": int(check.low), "valid_max": int(check.high)}}
        case "accepted":
            return {"invalid": {**named, "valid_values": list(check.values)}}
        case "pattern":
            return {"invalid": {**named, "valid_format": {"regex": f"^({check.text})$", "name": check.id}}}
        case "expression":
            return {"failed_rows": {**named, "expression": condition(check)}}
        case "duplicates":
            return {"duplicate": named if len(check.columns) == 1 else {**named, "columns": list(check.columns)}}


_COUNTS = ("missing_count", "invalid_count", "failed_rows_count", "duplicate_count")


def run(job: Job) -> Answer:
    from soda_core.contracts import verify_contract_locally

    folder = Path(job.folder)
    done = verify_contract_locally(data_source_file_path=str(folder / "source.yml"), contract_file_path=str(folder / "contract.yml"))
    answer = {}
    for result in (each for contract in done.contract_verification_results for each in contract.check_results):
        kind = next(check.kind for check in job.checks if check.id == result.check.name)
        name = {"null": 0, "range": 1, "accepted": 1, "pattern": 1, "expression": 2, "duplicates": 3}[kind]
        answer[result.check.name] = result.diagnostic_metric_values[_COUNTS[name]], result.is_passed
    return answer


if __name__ == "__main__":
    answers(run)
