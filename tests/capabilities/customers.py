"""The data set that tests of dimensions judge, and a dimension with its settings by name."""

from datetime import UTC, datetime

from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.registry import installed_registry
from platform_resources.spec.components import DataSet

CUSTOMERS, ORDERS = Relation("internal", "customers"), Relation("inputs", "orders")
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
DATA_SET = DataSet.model_validate(
    {
        "primary_key": ["id"],
        "updated_at": "made_at",
        "columns": [
            {"name": "id", "type": "bigint"},
            {"name": "age_band", "type": "varchar"},
            {"name": "made_at", "type": "timestamptz"},
        ],
    }
)
SUBJECT = Subject(DATA_SET, CUSTOMERS, {"orders": ORDERS}, {"customers": CUSTOMERS})
PLAIN = Subject(DataSet(), CUSTOMERS)
POPULATION = {"population": {"input": "orders", "columns": ["customer"]}, "keys": ["id"]}
REFERENCE = {"columns": ["id"], "references": {"data_set": "customers", "columns": ["id"]}}


def dimension(name):
    return installed_registry().dimensions()[name]


def configured(name, written):
    return dimension(name).config.model_validate(written)
