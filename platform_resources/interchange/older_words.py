"""What older versions of a standard, and other tools, write otherwise, in the words that its newest schemas take."""

from collections.abc import Mapping
from typing import Any

# The library's checks of version 3.0 had a `rule`, by what each is called since.
_METRICS = {
    "rowCount": "rowCount",
    "duplicateCount": "duplicateValues",
    "uniqueCheck": "duplicateValues",
    "nullCheck": "nullValues",
    "validValues": "invalidValues",
}
_ARGUMENTS = ("validValues", "pattern")
_BESIDE = ("id", "name", "description", "dimension", "severity", "method", "businessImpact", "schedule", "scheduler", "tags", "unit")


def understood(value: Any) -> Any:
    """A copy without what is said to be nothing, and with the metric that each rule means; of places and their order nothing changes."""
    match value:
        case dict():
            said = {key: understood(item) for key, item in value.items() if item is not None or key == "value"}
            return _with_metric(said) if isinstance(said.get("rule"), str) and "metric" not in said else said
        case list():
            return [understood(item) for item in value]
        case _:
            return value


def _with_metric(check: Mapping[str, Any]) -> dict[str, Any]:
    """A check whose rule is none of the library's is told in words alone."""
    rule, beside = check["rule"], {key: check[key] for key in _BESIDE if key in check}
    if rule not in _METRICS:
        return {"description": rule, **beside, "type": "text"}
    arguments = {**check.get("arguments", {}), **{key: check[key] for key in _ARGUMENTS if key in check}}
    operators = {key: limit for key, limit in check.items() if key.startswith("mustBe") or key == "mustNotBe"} or {"mustBe": 0}
    return {**beside, **operators, "type": "library", "metric": _METRICS[rule], **({"arguments": arguments} if arguments else {})}
