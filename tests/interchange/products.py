"""Products of every shape, for laws about documents of other standards."""

from typing import Any

from hypothesis import strategies as st

from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.product_text import Component, document_text
from platform_resources.spec.problems import problems_text
from platform_resources.spec.product import Product
from platform_resources.spec.reading import read_product

TEXTS = st.sampled_from(["", "Plain words.", "Größe: 5 %", "on", "1.10", "2026-01-05", "a\nb", "09:30", "null", "#x", "- y"])
NAMES = st.sampled_from(["orders", "Order lines", "day_2", "Größe", "customers"])
COLUMNS = st.sampled_from(["order_id", "Order Day", "größe", "net_sales", "mail"])
TYPES = st.sampled_from(["bigint", "varchar", "decimal(18,2)", "date", "timestamptz", "double", "boolean", "json", "varchar[]", "time"])
OWNERS = st.sampled_from(["ann@example.com", "team:sales"])
LENGTHS = st.sampled_from(["90m", "36h", "20d", "2w", "1.5h"])
PERCENT = st.sampled_from([0, 12.5, 99.9, 99, 100])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def of(required: dict[str, st.SearchStrategy[Any]], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=fields)


INFO = some(
    title=TEXTS.filter(bool),
    description=TEXTS,
    purpose=TEXTS,
    version=st.sampled_from(["0.1.0", "1.10.0", "2.0.3"]),
    lifecycle=st.sampled_from(["proposed", "draft", "production", "deprecated", "retired"]),
    replacement=st.just("orders_2"),
    end_date=st.just("2027-06-30"),
    archetype=st.sampled_from(["source-aligned", "aggregate", "consumer-aligned"]),
    certified=st.booleans(),
    owners=some(business=OWNERS, technical=OWNERS),
    support=some(channel=st.sampled_from(["#sales", "https://chat.example.com/sales"]), runbook=st.just("README.md")),
    tags=st.lists(st.sampled_from(["sales", "1.10"]), unique=True),
    refresh=st.sampled_from([{"on": "inputs"}, {"cron": "0 5 * * *"}, {"cron": "0 5 * * 1", "timezone": "Europe/Berlin"}]),
    keep_versions=st.integers(1, 9),
)
TESTS = st.sampled_from(
    ["unique", "not_null", {"accepted_values": {"values": ["a", "b"]}}, {"accepted_values": {"values": ["a"], "quote": False}}]
)
COLUMN = of(
    {"name": COLUMNS, "type": TYPES},
    description=TEXTS,
    nullable=st.booleans(),
    unit=TEXTS,
    classification=st.sampled_from(["public", "internal", "personal", "sensitive", "unclassified"]),
    identifier=st.just("order"),
    tags=st.lists(st.just("key"), max_size=1),
    tests=st.lists(TESTS, max_size=2, unique_by=str),
)
DATA_SET = of(
    {"columns": st.lists(COLUMN, min_size=1, max_size=4, unique_by=lambda column: column["name"])},
    description=TEXTS,
    model=st.sampled_from(["orders", "lines"]),
    primary_key=st.lists(COLUMNS, max_size=2, unique=True),
    updated_at=COLUMNS,
    partition_by=COLUMNS,
    classification=st.sampled_from(["internal", "personal"]),
)
_SAID = {"severity": st.sampled_from(["error", "warning"]), "gate": st.booleans(), "description": TEXTS}
OBJECTIVE = st.one_of(
    of({"dimension": st.just("freshness")}, data_set=NAMES, max_age=LENGTHS, **_SAID),
    of({"dimension": st.just("freshness"), "by": st.just("06:00")}, data_set=NAMES, working_days=st.booleans()),
    of({"dimension": st.just("volume"), "at_least": st.integers(0, 5)}, at_most=st.integers(5, 9), data_set=NAMES, **_SAID),
    of({"dimension": st.just("volume"), "never_decreases": st.just(True)}, data_set=NAMES, **_SAID),
    of(
        {"dimension": st.just("uniqueness")},
        columns=st.lists(COLUMNS, min_size=1, max_size=2, unique=True),
        at_least=PERCENT,
        data_set=NAMES,
    ),
    of(
        {"dimension": st.just("completeness"), "columns": st.lists(COLUMNS, min_size=1, max_size=2, unique=True)},
        at_least=PERCENT,
        data_set=NAMES,
    ),
    of(
        {"dimension": st.just("validity"), "column": COLUMNS, "accepted_values": st.just(["a", "b"])},
        at_least=PERCENT,
        data_set=NAMES,
        **_SAID,
    ),
    of({"dimension": st.just("validity"), "column": COLUMNS, "min": st.integers(0, 3)}, data_set=NAMES),
    of({"dimension": st.just("custom-sql"), "failing_rows": st.just("a < 0")}, data_set=NAMES),
    of({"dimension": st.just("availability"), "within": st.just("10s")}, data_set=NAMES),
)
INDICATOR = of({"service_level_name": NAMES}, target=PERCENT, window=st.just("30d"), description=TEXTS)
ROLES = st.lists(of({"role": st.sampled_from(["analyst", "finance"])}, sees=st.just(["public"])), max_size=2)
AGREEMENT = some(purpose=TEXTS, terms=TEXTS, approval=st.sampled_from(["automatic", "owner"]), duration=LENGTHS, roles=ROLES)
INPUT = st.one_of(
    of({"interface": st.just("external")}, url=st.just("https://example.com"), description=TEXTS),
    of({"interface": st.just("data-product"), "associated_output_port": st.just("shops.shops")}, version=st.sampled_from(["^1", "*"])),
)
OUTPUT = st.one_of(
    of({"interface": st.just("sql")}, data_set=NAMES, description=TEXTS),
    of({"interface": st.just("file")}, data_set=NAMES, format=st.sampled_from(["parquet", "csv"])),
)
OTHERS = {
    "data-set": DATA_SET,
    "service-level-asset": OBJECTIVE,
    "service-level-indicator": INDICATOR,
    "data-sharing-agreement": AGREEMENT,
    "input-port": INPUT,
    "output-port": OUTPUT,
    "sample-query": of({"port": NAMES, "sql": st.just("select 1")}, description=TEXTS),
    "consumer": of({"kind": st.just("report"), "uses": st.lists(NAMES, min_size=1, max_size=2)}, description=TEXTS),
}


@st.composite
def products(draw: st.DrawFn) -> Product:
    """A product as its document says it; not every one could be planned."""
    components: list[Component] = [
        {"name": "sales", "type": "domain", "properties": {}},
        {"name": "orders", "type": "data-product", "properties": draw(INFO)},
    ]
    for kind, properties in OTHERS.items():
        for name in draw(st.lists(NAMES, max_size=3, unique=True)):
            components.append({"name": name, "type": kind, "properties": draw(properties)})
    return product_of(document_text("orders", components))


def product_of(text: str) -> Product:
    reading = read_product(text, "product.yaml", installed_registry())
    assert reading.product is not None, problems_text(reading.problems)
    return reading.product
