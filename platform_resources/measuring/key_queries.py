"""SQL of the measures that compare keys: duplicates, orphans, and keys missing from a population."""

from collections.abc import Sequence

from platform_resources.capabilities.measures import DuplicateRows, MissingKeys, OrphanRows, Relation
from platform_resources.capabilities.support.sql_text import quoted, quoted_list, relation_sql


def distinct_rows_sql(measure: DuplicateRows, relation: Relation) -> str:
    """Counts the distinct rows instead of the duplicates: row counts are measured anyway, and reading a view with a join twice is
    expensive.
    """
    return f"select count(*) from (select distinct {quoted_list(measure.columns)} from {relation_sql(relation)}) as keys"


def orphans_sql(measure: OrphanRows, relation: Relation) -> str:
    """SQL (after `from`) of the rows whose key is not in the referenced relation."""
    return (
        f"{relation_sql(relation)} as here where {_not_null(measure.columns, 'here.')} and not exists "
        f"(select 1 from {relation_sql(measure.referenced)} as there where {_equal(measure.referenced_columns, measure.columns)})"
    )


def missing_sql(measure: MissingKeys, relation: Relation) -> str:
    """SQL (after `from`) of the keys of the population that are not in this relation."""
    keys = distinct_keys_sql(measure.population, measure.population_columns)
    return f"({keys}) as here where not exists (select 1 from {relation_sql(relation)} as there where {_matches(measure)})"


def _matches(measure: MissingKeys) -> str:
    return _equal(measure.columns, measure.population_columns)


def _equal(there: Sequence[str], here: Sequence[str]) -> str:
    return " and ".join(f"there.{quoted(a)} = here.{quoted(b)}" for a, b in zip(there, here, strict=True))


def distinct_keys_sql(relation: Relation, columns: Sequence[str]) -> str:
    """SQL that selects the distinct keys without nulls."""
    unique = tuple(dict.fromkeys(columns))
    return f"select distinct {quoted_list(unique)} from {relation_sql(relation)} where {_not_null(unique)}"


def _not_null(columns: Sequence[str], prefix: str = "") -> str:
    return " and ".join(f"{prefix}{quoted(column)} is not null" for column in columns)
