"""Which dimensions can learn what is usual."""

from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.learned_thresholds import can_learn

EXAMPLES = {
    "validity": {"column": "id", "min": 0},
    "completeness": {"columns": ["id"]},
    "uniqueness": {},
    "referential-consistency": {"columns": ["id"], "references": {"data_set": "customers", "columns": ["id"]}},
    "volume": {"at_least": 1},
    "business-kpi": {"metric": "sum(id)", "min": 0},
    "cadence": {},
    "duration": {"at_most": "1h"},
    "cost": {"measure": "bytes", "budget": {"per_month": "1 GB"}},
    "schema": {},
    "freshness": {},
    "custom-sql": {"failing_rows": "id < 0"},
    "bias": {"group": "id", "condition": "id > 0"},
    "accuracy": {"reference": {"input": "ledger"}, "rows": 0},
}
CANNOT = {"schema", "freshness", "custom-sql", "bias", "accuracy"}


def test_every_share_and_every_number_can_be_learned_and_what_is_neither_cannot():
    dimensions = installed_registry().dimensions()
    found = {name: can_learn(dimensions[name].config.model_validate(written)) for name, written in EXAMPLES.items()}
    assert {name for name, can in found.items() if not can} == CANNOT
