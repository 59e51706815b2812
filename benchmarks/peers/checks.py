"""Which hundred checks each mix is made of, and the SQL condition of the rows that fail them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, islice
from typing import Any, Literal

Kind = Literal["null", "range", "accepted", "pattern", "expression", "duplicates"]
MIXES = ("prunable", "predicates", "duplicates")
CHECKS = 100


@dataclass(frozen=True, slots=True)
class Check:
    """One check; it is met if no row fails. For duplicates, the failing rows are those beyond the first of each combination."""

    id: str
    kind: Kind
    columns: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    values: tuple[str, ...] = ()
    text: str = ""

    @property
    def column(self) -> str:
        return self.columns[0]


@dataclass(frozen=True, slots=True)
class Job:
    """What one run of a tool is told: checks on one relation of a database file, and a folder for its files."""

    database: str
    relation: str
    checks: tuple[Check, ...]
    folder: str
    columns: tuple[tuple[str, str], ...]

    def told(self) -> dict[str, Any]:
        return asdict(self)


def job_of(told: Mapping[str, Any]) -> Job:
    checks = tuple(Check(**{k: tuple(v) if isinstance(v, list) else v for k, v in each.items()}) for each in told["checks"])
    columns = tuple((name, kind) for name, kind in told["columns"])
    return Job(told["database"], told["relation"], checks, told["folder"], columns)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the checks of a table are made of: columns, the least and greatest of those with an order, texts with their values, keys."""

    columns: tuple[str, ...]
    ordered: Mapping[str, tuple[int, int]]
    texts: Mapping[str, tuple[str, ...]]
    patterns: tuple[tuple[str, str], ...]
    expressions: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]


PROMOTIONS = Shape(
    columns=("product_id", "store_id", "display_location", "mailer_location", "week"),
    ordered={"product_id": (26190, 17957268), "store_id": (286, 34280), "week": (1, 53)},
    texts={"display_location": tuple("0123456789A"), "mailer_location": tuple("0ACDFHJLPXZ")},
    patterns=(
        ("display_location", "[0-9A-Z]"),
        ("mailer_location", "[0-9A-Z]"),
        ("mailer_location", "[A-Z]"),
        ("display_location", "[0-9]"),
    ),
    expressions=(
        "product_id % {n} = store_id % 101 and week > 53 - {n} % 7",
        "store_id * {n} > product_id + week and display_location = 'A'",
    ),
    keys=(
        ("product_id",),
        ("store_id",),
        ("week",),
        ("display_location",),
        ("mailer_location",),
        ("store_id", "week"),
        ("display_location", "mailer_location"),
        ("week", "mailer_location"),
        ("store_id", "display_location"),
        ("product_id", "week"),
        ("product_id", "store_id"),
        ("product_id", "store_id", "week"),
    ),
)
SALES = Shape(
    columns=("id", "customer", "store", "day_number", "quantity", "cents", "discount", "code", "status", "country"),
    ordered={
        "id": (0, 49_999_999),
        "customer": (0, 999_999),
        "store": (0, 499),
        "day_number": (0, 729),
        "quantity": (1, 40),
        "cents": (100, 500_099),
    },
    texts={
        "status": ("open", "paid", "sent", "back", "lost", "held"),
        "country": ("AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "IT", "NL", "NO", "PL", "SE"),
    },
    patterns=(("country", "[A-Z]{{2}}"), ("status", "[a-z]{{4}}"), ("code", "[A-Z][0-9]{{4}}"), ("code", "[A-M][0-9]+")),
    expressions=("customer % {n} = store % 101 and quantity > 40 - {n} % 7", "cents * quantity > {n} * 500000 + store and discount > 3"),
    keys=(
        ("store",),
        ("day_number",),
        ("quantity",),
        ("code",),
        ("status",),
        ("country",),
        ("customer",),
        ("store", "day_number"),
        ("status", "country"),
        ("code", "country"),
        ("store", "quantity", "status"),
        ("id",),
    ),
)


def mix(name: str, shape: Shape) -> tuple[Check, ...]:
    made = {"prunable": _prunable, "predicates": _predicates, "duplicates": _duplicates}[name](shape)
    return tuple(Check(f"c{number:03}", *each) for number, each in enumerate(islice(made, CHECKS)))


def _prunable(shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Nulls of each column, then ranges; every nineteenth range is broken."""
    yield from (("null", (column,)) for column in shape.columns)
    yield from _ranges(shape, broken=19)


def _predicates(shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Forty lists of accepted values, twenty patterns, forty conditions on several columns."""
    yield from islice(_lists(shape), 40)
    yield from (("pattern", (column,), "", "", (), _pattern(pattern, n)) for n, (column, pattern) in islice(_turns(shape.patterns), 20))
    yield from (("expression", (), "", "", (), text.format(n=n + 2)) for n, text in _turns(shape.expressions))


def _duplicates(shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Twelve sets of columns that are to be unique, and what usually goes with them: nulls, lists and ranges."""
    yield from (("duplicates", key) for key in shape.keys)
    yield from (("null", (column,)) for column in shape.columns)
    yield from islice(_lists(shape), 40)
    yield from _ranges(shape, broken=19)


def _turns(items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    return ((n, items[n % len(items)]) for n in count())


def _pattern(pattern: str, n: int) -> str:
    """The same pattern in other words for each check, so that no tool can answer two with one."""
    return f"{pattern.format()}|{'x' * (n + 9)}"


def _ranges(shape: Shape, broken: int) -> Iterator[tuple[Any, ...]]:
    for n, (column, (low, high)) in _turns(tuple(shape.ordered.items())):
        top = low + (high - low) * (60 + n % 30) // 100 if n % broken == broken - 1 else high + n
        yield "range", (column,), str(low - n), str(top)


def _lists(shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Every third list lacks one of the values."""
    for n, (column, values) in _turns(tuple(shape.texts.items())):
        known = values[: n % len(values)] + values[n % len(values) + 1 :] if n % 3 == 2 else values
        yield "accepted", (column,), "", "", (*known, f"new {n}")


def condition(check: Check) -> str:
    """The rows that fail, as DuckDB's SQL; nulls fail nothing but `null`."""
    match check.kind:
        case "null":
            return f"{check.column} is null"
        case "range":
            return f"{check.column} < {check.low} or {check.column} > {check.high}"
        case "accepted":
            return f"{check.column} not in ({', '.join(quoted(check.values))})"
        case "pattern":
            return f"not regexp_full_match({check.column}, '{check.text}')"
        case "expression":
            return check.text
        case "duplicates":
            raise ValueError("duplicates are no condition on one row")


def quoted(values: Sequence[str]) -> list[str]:
    return [f"'{value}'" for value in values]


def duplicates_sql(columns: Sequence[str], relation: str) -> str:
    """Counts the rows beyond the first of each combination."""
    return f"select count(*) - (select count(*) from (select distinct {', '.join(columns)} from {relation}) as k) from {relation}"
