"""Soda Core 3 (soda-core-duckdb): SodaCL. Its duplicate_count counts values and not rows, so duplicates are asked as a metric of our own."""

import json
from pathlib import Path
from typing import Any

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition


def files(job: Job) -> dict[str, str]:
    source = {"data_source warehouse": {"type": "duckdb", "path": job.database, "read_only": True, "schema": "internal"}}
    return {
        "checks.yml": json.dumps({f"checks for {job.relation}": [_check(check) for check in job.checks]}),
        "source.yml": json.dumps(source),
    }


def _check(check: Check) -> dict[str, Any]:
    match check.kind:
        case "null":
            return {f"missing_count({check.column}) = 0": {"name": check.id}}
        case "range":
            return {f"invalid_count({check.column}) = 0": {"name": check.id, "valid min": int(check.low), "valid max": int(check.high)}}
        case "accepted":
            return {f"invalid_count({check.column}) = 0": {"name": check.id, "valid values": list(check.values)}}
        case "pattern":
            return {f"invalid_count({check.column}) = 0": {"name": check.id, "valid regex": f"^({check.text})$"}}
        case "expression":
            return {f"m{check.id} = 0": {"name": check.id, f"m{check.id} expression": f"count(case when {condition(check)} then 1 end)"}}
        case "duplicates":
            key = check.column if len(check.columns) == 1 else f"({', '.join(check.columns)})"
            return {f"m{check.id} = 0": {"name": check.id, f"m{check.id} expression": f"count(*) - count(distinct {key})"}}


def run(job: Job) -> Answer:
    from soda.scan import Scan

    scan = Scan()
    scan.set_data_source_name("warehouse")
    scan.add_configuration_yaml_file(str(Path(job.folder, "source.yml")))
    scan.add_sodacl_yaml_file(str(Path(job.folder, "checks.yml")))
    scan.disable_telemetry()
    scan.execute()
    if scan.has_error_logs():
        raise SystemExit(scan.get_error_logs_text())
    return {check.name: (check.check_value or 0, check.outcome.value == "pass") for check in scan._checks}


if __name__ == "__main__":
    answers(run)
