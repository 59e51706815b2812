"""SQL (DuckDB dialect) that joins rows with those of a reference relation by key."""

from collections.abc import Iterator, Sequence

from platform_resources.capabilities.measures import PairCount, Pairing
from platform_resources.capabilities.support.sql_text import enclosed, quoted


def pairs_sql(pairing: Pairing, relation: str, reference: str, show: Sequence[str] = ()) -> str:
    """A query with one row for each row here, whatever the reference holds: a key that it has several times is grouped first.

    Its columns are those that a PairCount's predicate may use; `show` are columns here that are added as `s0`, `s1` ….
    """
    shown = (f"here.{quoted(column)} as s{index}" for index, column in enumerate(show))
    keyed = " and ".join(f"here.{quoted(column)} is not null" for column in pairing.columns)
    here = (f"here.{quoted(column)} as h{index}" for index, column in enumerate(pairing.values))
    there = (f"there.{name} as {name}" for name in (*_numbered("v", pairing.reference_values), *_numbered("a", pairing.aggregates)))
    same = " and ".join(f"there.k{index} = here.{quoted(column)}" for index, column in enumerate(pairing.columns))
    columns = ", ".join((*shown, f"{keyed} as keyed", "there.copies as copies", *here, *there))
    return f"select {columns} from {relation} as here left join ({_grouped(pairing, reference)}) as there on {same}"


def failing_pairs_sql(measure: PairCount, relation: str, reference: str, show: Sequence[str]) -> str:
    """The rows here for which the predicate is true, with the columns `show` and no other."""
    names = ", ".join(f"s{index} as {quoted(column)}" for index, column in enumerate(show))
    return f"select {names} from ({pairs_sql(measure.pairing, relation, reference, show)}) as made where {enclosed(measure.predicate)}"


def _grouped(pairing: Pairing, reference: str) -> str:
    keys = tuple(quoted(column) for column in pairing.reference_columns)
    filled = " and ".join(f"{key} is not null" for key in keys)
    return f"select {', '.join(_columns(pairing, keys))} from {reference} where {filled} group by {', '.join(dict.fromkeys(keys))}"


def _columns(pairing: Pairing, keys: Sequence[str]) -> Iterator[str]:
    yield from (f"{key} as k{index}" for index, key in enumerate(keys))
    yield "count(*) as copies"
    yield from (f"min({quoted(column)}) as v{index}" for index, column in enumerate(pairing.reference_values))
    yield from (f"{aggregate} as a{index}" for index, aggregate in enumerate(pairing.aggregates))


def _numbered(letter: str, columns: Sequence[str]) -> Iterator[str]:
    return (f"{letter}{index}" for index in range(len(columns)))
