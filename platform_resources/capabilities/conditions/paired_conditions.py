"""A condition on the rows of a data set and those of another that share their keys: what is wrong with it, and as a measure of pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from platform_resources.capabilities.conditions.expressions import Found, parsed_expression
from platform_resources.capabilities.measures import PairCount, Pairing, Relation
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.column_names import folded_column

# What the other relation is called in such a condition.
THERE = "there"


@dataclass(frozen=True, slots=True)
class PairedCondition:
    """Measures of a condition on pairs: rows that fulfil it, and rows for which it is not null (`decided`).

    `several` are rows of which one value is asked though the other relation has several.
    """

    failing: PairCount
    decided: PairCount
    several: PairCount | None


def paired_condition(sql: str, keys: Sequence[str], reference: Relation, reference_columns: Sequence[str]) -> PairedCondition:
    """The condition with every column in the place where a query of pairs has it. A count of no rows is 0, every other aggregate null."""
    from sqlglot import exp

    tree, _ = parsed_expression("failing_rows", sql)
    here, there, aggregates = dict[str, str](), dict[str, str](), dict[str, str]()

    def placed(node: Any) -> Any:
        if isinstance(node, exp.AggFunc):
            name = aggregates.setdefault(_unqualified(node).sql("duckdb"), f"a{len(aggregates)}")
            return exp.func("coalesce", exp.column(name), exp.Literal.number(0)) if isinstance(node, exp.Count) else exp.column(name)
        if isinstance(node, exp.Column):
            names, letter, parts = (there, "v", node.parts[1:]) if _is_there(node) else (here, "h", node.parts)
            rest = [part.name for part in parts[1:]]
            name = names.setdefault(parts[0].name, f"{letter}{len(names)}")
            return exp.Dot.build([exp.to_identifier(part) for part in (name, *rest)]) if rest else exp.column(name)
        return node

    predicate = tree.transform(placed).sql("duckdb")
    pairing = Pairing(tuple(keys), reference, tuple(reference_columns), tuple(here), tuple(there), tuple(aggregates))
    keys_there = set(map(folded_column, reference_columns))
    single = [name for name in there if folded_column(name) not in keys_there]
    has_value = PairCount(pairing, f"({predicate}) is not null")
    return PairedCondition(PairCount(pairing, predicate), has_value, PairCount(pairing, "copies > 1") if single else None)


def paired_problems(written_as: str, sql: str, known: Sequence[str], name: str, declared: Sequence[str]) -> Found:
    """Problems of a condition with `there.column`; aggregates run over the other rows alone. An empty `known` allows every column."""
    from sqlglot import exp

    tree, problems = parsed_expression(written_as, sql)
    yield from problems
    if tree is None:
        return
    if tree.find(exp.Query) is not None or tree.find(exp.Window) is not None:
        yield written_as, "a rule over two data sets has no subquery and no window", f"write an aggregate such as sum({THERE}.amount)"
        return
    columns = list(tree.find_all(exp.Column))
    if not any(map(_is_there, columns)):
        yield written_as, f"the rule says nothing of {name}", f"write {THERE}.<column> for a column of {name}, or take {THERE} away"
    for aggregate in tree.find_all(exp.AggFunc):
        if not all(map(_is_there, aggregate.find_all(exp.Column))) or aggregate.find(exp.Column) is None:
            message = f"{aggregate.sql('duckdb')} looks at many rows, and only rows of {name} can be many"
            yield written_as, message, f"write {THERE}. before its columns"
    yield from _unknown(written_as, [column.parts[1].name for column in columns if _is_there(column)], declared, name)
    yield from _unknown(written_as, [column.parts[0].name for column in columns if not _is_there(column)], known, "the data set")


def _unknown(written_as: str, names: Sequence[str], known: Sequence[str], where: str) -> Iterator[tuple[str, str, str]]:
    folded = set(map(folded_column, known))
    for name in dict.fromkeys(names):
        if known and folded_column(name) not in folded:
            yield written_as, f'no column "{name}" in {where}; known: {known_text(known)}', did_you_mean(name, known)


def _is_there(column: Any) -> bool:
    return len(column.parts) > 1 and column.parts[0].name.lower() == THERE


def _unqualified(aggregate: Any) -> Any:
    from sqlglot import exp

    def bare(node: Any) -> Any:
        is_there = isinstance(node, exp.Column) and _is_there(node)
        return exp.column(exp.to_identifier(node.parts[1].name, quoted=True)) if is_there else node

    return aggregate.copy().transform(bare)
