"""Read a dbt test as product.yaml says it, in any of the forms that dbt knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.plan import conventions
from platform_resources.spec.components import Column
from platform_resources.spec.values.names import slug

# What dbt 1.10 and later want under `config`, and earlier ones took beside the arguments.
_CONFIG = ("severity", "warn_if", "error_if", "where", "limit", "store_failures", "tags", "meta")


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """A dbt test as product.yaml says it, whichever of dbt's forms it is written in."""

    kind: str
    arguments: Mapping[str, Any]
    config: Mapping[str, Any]
    name: str = ""
    description: str = ""

    @property
    def severity(self) -> str:
        """`error` or `warn`; dbt's default is `error`."""
        return str(self.config.get("severity", "error")).lower()


def written_test(test: str | Mapping[str, Any]) -> WrittenTest:
    """The test in `unique`, `{accepted_values: {values: [a, b]}}` or `{accepted_values: {arguments: {…}, config: {…}}}`."""
    if isinstance(test, str):
        return WrittenTest(test, {}, {})
    ((kind, written),) = test.items()
    fields = dict(written or {})
    name, description = str(fields.pop("name", "") or ""), str(fields.pop("description", "") or "")
    arguments, config = dict(fields.pop("arguments", None) or {}), dict(fields.pop("config", None) or {})
    config |= {key: value for key, value in fields.items() if key in _CONFIG}
    arguments |= {key: value for key, value in fields.items() if key not in _CONFIG}
    return WrittenTest(kind, arguments, config, name, description)


def enforces_constraints(materialized: str) -> bool:
    """Whether dbt keeps nulls out while it builds; of a view, and of what a team has made itself, nobody does."""
    return materialized in ("table", "incremental")


def tests_of(column: Column, enforces: bool) -> tuple[WrittenTest, ...]:
    """The column's tests; where nulls are promised not to be and dbt does not enforce that, also one that looks for them."""
    tests = tuple(map(written_test, column.tests))
    looked_for = column.nullable or enforces or any(test.kind == "not_null" for test in tests)
    return tests if looked_for else (*tests, WrittenTest("not_null", {}, {}))


def test_name(test: WrittenTest, model: str, column: str) -> str:
    """The test's name for dbt, which is also its check's: the one given to it, or one made from what it asks of which column."""
    return slug(test.name) or conventions.dbt_test_name(test.kind, model, column)
