"""What is wrong with SQL that a team writes: one expression over the columns of a data set, of one row or over all rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from platform_resources.spec.problems import did_you_mean, known_text

Found = Iterator[tuple[str, str, str]]


def condition_problems(written_as: str, sql: str, known: Sequence[str], otherwise: str) -> Found:
    """Problems of a condition on one row; `otherwise` is what to write for a rule over all rows. An empty `known` allows every column."""
    from sqlglot import exp

    tree, problems = parsed_expression(written_as, sql)
    yield from problems
    if tree is None:
        return
    over_all = _over_all_rows(tree)
    if over_all:
        yield written_as, f"{over_all[0].sql('duckdb')} looks at many rows, but a condition looks at one", otherwise
    yield from _column_problems(written_as, tree, known, exp)


def aggregate_problems(written_as: str, sql: str, known: Sequence[str]) -> Found:
    """Problems of an expression with one value over all rows; functions unknown to sqlglot are accepted."""
    from sqlglot import exp

    tree, problems = parsed_expression(written_as, sql)
    yield from problems
    if tree is None:
        return
    windows = [node for node in _over_all_rows(tree) if isinstance(node, exp.Window)]
    if windows:
        message = f"{windows[0].sql('duckdb')} has a value in each row, not one over all rows"
        yield written_as, message, "take over (...) away, and write an aggregate such as sum(...) or max(...)"
    elif not _over_all_rows(tree) and tree.find(exp.Anonymous) is None:
        yield written_as, f"{tree.sql('duckdb')} is not one value over all rows", "write an aggregate such as sum(...) or max(...)"
    yield from _column_problems(written_as, tree, known, exp)


def parsed_expression(written_as: str, sql: str) -> tuple[Any, tuple[tuple[str, str, str], ...]]:
    """The expression, or what is wrong with it. sqlglot is imported here, because reading definitions must stay fast."""
    from sqlglot import Dialect, TokenType, exp
    from sqlglot.errors import ParseError, SqlglotError

    try:
        dialect = Dialect.get_or_raise("duckdb")
        if any(token.token_type == TokenType.SEMICOLON for token in dialect.tokenize(sql)):
            message = "only one expression is allowed, without ;"
            return None, ((written_as, message, "write a condition or an aggregate over the columns"),)
        tree = dialect.parse_into(exp.Condition, sql)[0]
    except SqlglotError as error:
        details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        detail = f': {details["description"]} at "{details["highlight"]}"' if details.get("highlight") else ""
        hint = "write one expression over the columns, without select, from and ;"
        return None, ((written_as, f"not a valid SQL expression{detail}", hint),)
    if tree is None or isinstance(tree, (exp.Query, exp.Star)):
        return None, ((written_as, "not an SQL expression over the data set's columns", "write it without select and from"),)
    return tree, ()


def _over_all_rows(tree: Any) -> list[Any]:
    from sqlglot import exp

    return [node for node in tree.find_all(exp.AggFunc, exp.Window) if node.find_ancestor(exp.Query) is None]


def _column_problems(written_as: str, tree: Any, known: Sequence[str], exp: Any) -> Found:
    """Names that are no column of the data set. Subqueries have columns of their own, lambdas their parameters."""
    lowered = {name.lower() for name in known}
    columns = [column for column in tree.find_all(exp.Column) if column.find_ancestor(exp.Query) is None]
    for name in dict.fromkeys(column.parts[0].name for column in columns):
        if known and name.lower() not in lowered:
            yield written_as, f'unknown column "{name}"; known: {known_text(known)}', did_you_mean(name, known)
