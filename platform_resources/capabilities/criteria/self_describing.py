"""The criteria of the letter self-describing: whether one understands the data without asking its team."""

import re
from collections import Counter
from collections.abc import Iterator

from platform_resources.capabilities.score_facts import Criterion, Finding, Letter, ScoreFacts, none_yet, share_of
from platform_resources.capabilities.support.column_types import is_numeric, is_type
from platform_resources.spec.components import Column
from platform_resources.spec.values.column_names import folded_column

_WORD = re.compile(r"[^\W_]+")
# Words that say nothing of a column, whatever stands around them.
_EMPTY_WORDS = """
a an the of for in on at to by is are this that it its and or as with from column field value values data table row record attribute
property description name number id code key todo tbd tba none unknown here lorem ipsum dolor
contains containing holds stores represents indicates denotes refers shows gives has
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
# Numbers that name something measure nothing.
_NAMES = frozenset({"id", "key", "code", "number", "no", "upc", "ean", "zip", "version"})
# A description that so many columns share tells none of them apart.
SHARED = 3
# Shorter words say nothing of their own.
SHORTEST = 3


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _EMPTY]


def says_something(column: Column, texts: Counter[str]) -> bool:
    """Whether a description says more than the column's name, and is not what stands behind several columns."""
    text = " ".join(column.description.split())
    stems = [name[:4] for name in _words(column.name.replace("_", " "))]
    new = [word for word in _words(text) if len(word) >= SHORTEST and word[:4] not in stems]
    return bool(new) and len(_WORD.findall(text)) >= 2 and texts[text.casefold()] < SHARED


def _columns(facts: ScoreFacts) -> Iterator[tuple[str, Column]]:
    yield from ((name, column) for name, data_set in facts.data_sets.items() for column in data_set.columns)


class Described(Criterion):
    """Each column has a description that says more than its name, and is not the same for several."""

    name = "columns-are-described"
    letter: Letter = "self-describing"
    points = 25
    raised_by = "describe each column: what it means, not what it is called"

    def finding(self, facts: ScoreFacts) -> Finding:
        columns = list(_columns(facts))
        if not columns:
            return none_yet("no columns", "declare the columns of its data sets")
        # The same column of two data sets may well have one description.
        texts = Counter(text for text, _ in {(" ".join(c.description.split()).casefold(), folded_column(c.name)) for _, c in columns})
        empty = [f"{name}.{column.name}" for name, column in columns if not says_something(column, texts)]
        written = sum(bool(column.description.strip()) for _, column in columns)
        observed = f"{len(columns) - len(empty)} say something" + (
            f"; not: {', '.join(empty[:5])}{' …' if len(empty) > 5 else ''}" if empty else ""
        )
        return Finding(
            share_of(len(columns) - len(empty), len(columns)), f"{written} of {len(columns)} columns have a description", observed
        )


class Measured(Criterion):
    """Each number has a unit, unless it names something, and each time a unit or a zone."""

    name = "units"
    letter: Letter = "self-describing"
    points = 15
    effort = 1
    raised_by = "say the unit of each number, such as USD, and the zone of each time, or use timestamptz"

    def finding(self, facts: ScoreFacts) -> Finding:
        asked = [(name, column) for name, column in _columns(facts) if self._needs_one(facts, name, column)]
        if not asked and not any(True for _ in _columns(facts)):
            return none_yet("no columns", "declare the columns of its data sets")
        lacking = [f"{name}.{column.name}" for name, column in asked if not column.unit]
        observed = f"lacking: {', '.join(lacking[:5])}{' …' if len(lacking) > 5 else ''}" if lacking else "none lacks one"
        share = share_of(len(asked) - len(lacking), len(asked)) if asked else 1.0
        return Finding(share, f"{len(asked)} columns need a unit or a zone", observed)

    def _needs_one(self, facts: ScoreFacts, data_set: str, column: Column) -> bool:
        if column.name in facts.data_sets[data_set].primary_key or column.identifier or _NAMES.intersection(column.name.lower().split("_")):
            return False
        return is_numeric(column.type) or column.type in ("timestamp", "time")


class Keyed(Criterion):
    """Each data set has a key, which says what one row is, and a check has seen that it is one."""

    name = "verified-keys"
    letter: Letter = "self-describing"
    points = 20
    raised_by = "declare a primary_key, and an objective of uniqueness (or dbt's test unique) for it"

    def finding(self, facts: ScoreFacts) -> Finding:
        if not facts.data_sets:
            return none_yet("no data sets", "declare its data sets")
        keyed = [name for name, data_set in facts.data_sets.items() if data_set.primary_key]
        declared = f"{len(keyed)} of {len(facts.data_sets)} data sets have a key"
        seen = {name: verdict for name, verdict in facts.verified_keys.items() if name in keyed}
        if not seen:
            return none_yet(declared, "no check looks whether a key is unique")
        good = [name for name in keyed if seen.get(name) == "met"]
        faults = [f"{name}: {seen.get(name, 'no check')}" for name in keyed if name not in good]
        return Finding(share_of(len(good), len(facts.data_sets)), declared, "; ".join(faults) or "a check has seen that each is unique")


class AsObserved(Criterion):
    """The columns of the newest version are those that are declared, with their types."""

    name = "declared-is-observed"
    letter: Letter = "self-describing"
    points = 25
    raised_by = "declare all columns with their types, and refresh"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{sum(len(data_set.columns) for data_set in facts.data_sets.values())} columns of {len(facts.data_sets)} data sets"
        if not facts.observed:
            return none_yet(declared, "no version is published")
        different = [text for name in facts.data_sets for text in self._differences(facts, name)]
        total = sum(
            len({*map(folded_column, facts.observed.get(n, ())), *(folded_column(c.name) for c in d.columns)})
            for n, d in facts.data_sets.items()
        )
        observed = "; ".join(different[:5]) or f"the {total} columns of the newest version are the same"
        return Finding(share_of(total - len(different), total), declared, observed)

    def _differences(self, facts: ScoreFacts, data_set: str) -> Iterator[str]:
        seen = {folded_column(name): kind for name, kind in facts.observed.get(data_set, {}).items()}
        said = {folded_column(column.name): column for column in facts.data_sets[data_set].columns}
        yield from (f"{data_set}.{name} is not declared" for name in seen if name not in said)
        for name, column in said.items():
            if name not in seen:
                yield f"{data_set}.{name} is not published"
            elif not is_type(column.type, seen[name]):
                yield f"{data_set}.{name} is {seen[name]}, declared {column.type}"


class Exemplified(Criterion):
    """All of its sample queries run, and give rows."""

    name = "sample-queries-run"
    letter: Letter = "self-describing"
    points = 15
    raised_by = "mend the sample queries that fail or give no rows"

    def finding(self, facts: ScoreFacts) -> Finding:
        declared = f"{len(facts.sample_queries)} sample queries"
        if not facts.queries:
            return none_yet(
                declared, "the evaluation after a version is published runs them" if facts.sample_queries else "add a sample-query"
            )
        bad = [f"{title}: {ran.error or 'no rows'}" for title, ran in facts.queries.items() if not ran.well]
        well = len(facts.queries) - len(bad)
        return Finding(share_of(well, len(facts.sample_queries)), declared, "; ".join(bad) or f"all {well} give rows")


CAPABILITIES = (Described(), Measured(), Keyed(), AsObserved(), Exemplified())
