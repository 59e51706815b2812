"""Load a source as a refresh would, and measure what metadata is guessed from."""

import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from platform_resources.capabilities.measures import CountIf, DuplicateRows, Measure, Relation
from platform_resources.capabilities.protocols import Extraction, Pull, PullFiles, PullRows
from platform_resources.capabilities.support.shares import counted
from platform_resources.capabilities.support.sql_text import literal, quoted, relation_sql
from platform_resources.measuring.metrics import Asked
from platform_resources.measuring.profile_queries import ProfiledColumn
from platform_resources.measuring.version_profiles import ColumnProfile, Profile
from platform_resources.refresh.profiled_relations import ProfiledDataSet, alone
from platform_resources.refresh.sources.file_inputs import load_files
from platform_resources.scaffolding.column_guesses import MEASURED
from platform_resources.scaffolding.key_guesses import combined_candidates, single_candidates
from platform_resources.scaffolding.product_files import product_names
from platform_resources.scaffolding.source_columns import SourceColumn, SourceFacts
from platform_resources.scaffolding.suggested_objectives import FEW_VALUES, has_few_values
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.extraction import read_by
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.published_places import PublishedFiles, PublishedPort
from platform_resources.warehouses.targets import scratch

_LOADED, _SEEN = Relation("inputs", "looked_at"), Relation("internal", "looked_at")
_DATED = ("date", "timestamp", "timestamptz")
# A longer value is a text and no category.
_LONGEST_VALUE = 60


def looked_at(pull: Pull | PublishedPort, folder: Path, now: datetime, key: tuple[str, ...] = ()) -> tuple[SourceFacts, dict[str, str]]:
    """The source, its columns called as the product will, and what each is called in the source. `key` is promised to be one.

    Raises NotArrived, ExtractorFailed and LoadFailed as a refresh would, and EngineError.
    """
    with tempfile.TemporaryDirectory() as aside, scratch().opened(Path(aside), "new", "product") as database:
        _load(database, pull, folder, now)
        return seen(database, _LOADED, now, key)


def seen(database: ProductDatabase, relation: Relation, now: datetime, key: tuple[str, ...] = ()) -> tuple[SourceFacts, dict[str, str]]:
    """The same of a relation that is there."""
    columns = database.columns(relation)
    names = dict(zip(product_names(list(columns)), columns, strict=True))
    renamed = ", ".join(f"{quoted(old)} as {quoted(new)}" for new, old in names.items())
    database.execute(f"create view {relation_sql(_SEEN)} as select {renamed} from {relation_sql(relation)}")
    return _measured(database, {new: columns[old] for new, old in names.items()}, now, key), names


def _load(database: ProductDatabase, pull: Pull | PublishedPort, folder: Path, now: datetime) -> None:
    match pull:
        case PublishedFiles():
            database.point_at(_LOADED, pull)
        case PullFiles():
            load_files(database, _LOADED, pull, folder, Clock("UTC", now), None)
        case PullRows(reader):
            extracted = read_by("of the source", reader, Extraction(database.connection, now.date(), {}, None, folder, _LOADED.name))
            database.load_data(_LOADED, extracted.data)
        case _:
            raise NotImplementedError(f"{type(pull).__name__} is no source of a new product")


def _measured(database: ProductDatabase, types: Mapping[str, str], now: datetime, key: tuple[str, ...]) -> SourceFacts:
    profiled = tuple(ProfiledColumn(name, kind, shown=True) for name, kind in types.items())
    profile = alone(database, ProfiledDataSet("", _SEEN, profiled))
    counts = _counts(database, types, now)
    columns = tuple(_column(database, profile, column, counts) for column in profile.columns)
    source = SourceFacts(database.count(_SEEN), columns, profile.exact)
    return SourceFacts(source.rows, columns, profile.exact, _unique(database, source, key))


def _counts(database: ProductDatabase, types: Mapping[str, str], now: datetime) -> dict[str, int]:
    """How many rows of each column look like personal data or numbers, or are dated later than now: in one scan."""
    asked: dict[str, Measure] = {}
    for name, kind in types.items():
        if kind == "varchar":
            asked |= {f"{look} {name}": CountIf(f"regexp_full_match({quoted(name)}, {literal(form)})") for look, form in MEASURED.items()}
        if kind in _DATED:
            moment = literal(now.astimezone(UTC).replace(tzinfo=None).isoformat(" "))
            asked[f"future {name}"] = CountIf(f"cast({quoted(name)} as timestamp) > cast({moment} as timestamp)")
    readings = measure([Asked(name, _SEEN, counting) for name, counting in asked.items()], database.within_limits)
    return {name: counted(readings, name) for name in asked}


def _column(database: ProductDatabase, profile: Profile, column: ColumnProfile, counts: Mapping[str, int]) -> SourceColumn:
    filled = (profile.rows or 0) - (column.nulls or 0)
    looks = {look: counts[f"{look} {column.name}"] / filled for look in MEASURED if filled and f"{look} {column.name}" in counts}
    future = counts.get(f"future {column.name}", 0)
    return SourceColumn(column.name, column.type, column, looks, future, _few_values(database, profile.rows or 0, column))


def _few_values(database: ProductDatabase, rows: int, column: ColumnProfile) -> tuple[tuple[str, int], ...]:
    """All values, counted over all rows, where they are few and each is there more than once; else none."""
    if column.type != "varchar" or not 0 < (column.distinct or 0) <= 2 * FEW_VALUES:
        return ()
    name = quoted(column.name)
    grouped = f"select {name} as value, count(*) as number from {relation_sql(_SEEN)} where {name} is not null group by all"
    value_counts = [(row["value"], row["number"]) for row in database.rows(f"{grouped} limit {FEW_VALUES + 1}")]
    fits = all(number > 1 and len(value) <= _LONGEST_VALUE and value.isprintable() for value, number in value_counts)
    return tuple(value_counts) if fits and has_few_values(rows, len(value_counts)) else ()


def _unique(database: ProductDatabase, source: SourceFacts, key: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What is promised to be a key, if it is one; else every single column that no two rows share, or the first two or three together."""
    if key and _without_duplicates(database, [key]):
        return (key,)
    single = tuple(_without_duplicates(database, single_candidates(source)))
    if single:
        return single
    for columns in combined_candidates(source):
        if tuple(_without_duplicates(database, [columns])):
            return (columns,)
    return ()


def _without_duplicates(database: ProductDatabase, candidates: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    wanted = {str(place): columns for place, columns in enumerate(candidates)}
    asked = [Asked(place, _SEEN, DuplicateRows(columns)) for place, columns in wanted.items()]
    readings = measure(asked, database.within_limits)
    return [columns for place, columns in wanted.items() if counted(readings, place) == 0]
