"""Read off a query's syntax tree what its columns are made from, in one pass from the inside out.

sqlglot has expanded stars and told which table each column belongs to. What it says of set operations by name, of lateral queries and of
tables that it does not know is wrong, so that is done here. Whatever is not known for sure raises Unresolvable.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from platform_resources.lineage.column_uses import Kind, Uses, merged, weakened
from platform_resources.lineage.query_scope import AGAIN, QueryColumns, Scope, Source, Unresolvable
from platform_resources.spec.values.column_names import folded_column

Tables = Mapping[tuple[str, str], Source]
# They make rows out of their arguments, and read no table.
_MAKE_ROWS = (exp.GenerateSeries, exp.GenerateDateArray, exp.GenerateTimestampArray, exp.Unnest)
_MOST_ROUNDS = 100


class QueryReader:
    """Reads queries over `tables` (by schema and name, in lower case) of one database, the `catalog`."""

    def __init__(self, catalog: str, tables: Tables) -> None:
        self._catalog, self._tables = catalog.casefold(), tables

    def query(self, node: exp.Expr, outer: Scope) -> QueryColumns:
        """The columns of a SELECT, set operation, VALUES, or one of them in parentheses. Raises Unresolvable."""
        scope = Scope(outer)
        self._read_with(node, scope)
        match node:
            case exp.Select():
                return self._select(node, scope)
            case exp.SetOperation():
                return self._set_operation(node, scope)
            case exp.Subquery():
                inner = self.query(node.this, scope)
                return QueryColumns(inner.columns, merged((inner.rows, self._cut(node, scope, inner.columns))))
            case _:
                raise Unresolvable(f"its {node.key} cannot be followed")

    def _read_with(self, node: exp.Expr, scope: Scope) -> None:
        written = node.args.get("with_")
        for cte in written.expressions if written is not None else ():
            if written.recursive and isinstance(cte.this, exp.SetOperation):
                scope.queries[cte.alias] = self._recursive(cte, scope)
            else:
                scope.queries[cte.alias] = _renamed(self.query(cte.this, scope), cte.alias_column_names)

    def _recursive(self, cte: exp.CTE, scope: Scope) -> QueryColumns:
        """Until another round adds nothing."""
        columns = _renamed(self.query(cte.this.this, scope), cte.alias_column_names)
        for _ in range(_MOST_ROUNDS):
            inside = Scope(scope, queries={cte.alias: columns})
            again = _renamed(self.query(cte.this, inside), cte.alias_column_names)
            if again == columns:
                return columns
            columns = again
        raise Unresolvable(f"{cte.alias} is recursive, and never settles")

    def _set_operation(self, node: exp.SetOperation, scope: Scope) -> QueryColumns:
        """EXCEPT and INTERSECT take rows of the first query and look at the second; so does a UNION that drops equal rows, at both."""
        left, right = self.query(node.this, scope), self.query(node.expression, scope)
        if node.args.get("by_name"):
            names = dict.fromkeys((*left.columns, *right.columns))
            columns = {name: merged((left.columns.get(name, {}), right.columns.get(name, {}))) for name in names}
        elif len(left.columns) != len(right.columns):
            raise Unresolvable("its queries have different numbers of columns")
        else:
            pairs = zip(left.columns, left.columns.values(), right.columns.values(), strict=True)
            columns = {name: merged((one, other)) for name, one, other in pairs}
        if not isinstance(node, exp.Union):
            columns = {name: dict(uses) for name, uses in left.columns.items()}
        compared = merged((left.all, right.all)) if node.args.get("distinct") or not isinstance(node, exp.Union) else {}
        rows = merged((left.rows, right.rows, weakened(compared, "row-level")))
        return QueryColumns(columns, merged((rows, self._cut(node, scope, columns))))

    def _select(self, node: exp.Select, scope: Scope) -> QueryColumns:
        rows = list(self._from(node, scope))
        scope.windows |= {window.name: window for window in node.args.get("windows") or ()}
        columns: dict[str, Uses] = {}
        for column in node.expressions:
            name = folded_column(column.alias_or_name)
            while name in columns:
                name += AGAIN
            columns[name] = self._uses(column, scope)
        for clause in ("where", "having", "qualify", "connect", "match"):
            if node.args.get(clause) is not None:
                rows.append(self._uses(node.args[clause], scope))
        rows += [*self._grouped(node, scope), *self._distinct(node, scope, columns)]
        return QueryColumns(columns, merged((*(weakened(uses, "row-level") for uses in rows), self._cut(node, scope, columns))))

    def _grouped(self, node: exp.Select, scope: Scope) -> Iterator[Uses]:
        """`GROUP BY ALL` means all that are no aggregates."""
        group = node.args.get("group")
        if group is None:
            return
        yield self._uses(group, scope)
        if group.args.get("all"):
            yield from (self._uses(column, scope) for column in node.expressions if column.find(exp.AggFunc) is None)

    def _distinct(self, node: exp.Select, scope: Scope, columns: Mapping[str, Uses]) -> Iterator[Uses]:
        distinct = node.args.get("distinct")
        if distinct is not None:
            on = distinct.args.get("on")
            yield self._named_or_read(on, scope, columns) if on is not None else merged(columns.values())

    def _cut(self, node: exp.Expr, scope: Scope, columns: Mapping[str, Uses]) -> Uses:
        """An ORDER BY decides which rows there are only where a LIMIT or DISTINCT ON cuts them off."""
        order, cut = node.args.get("order"), [node.args.get(name) for name in ("limit", "offset")]
        distinct = node.args.get("distinct")
        if not any(cut) and not (isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None):
            return {}
        read = [self._uses(clause, scope) for clause in cut if clause is not None]
        read += [self._named_or_read(order, scope, columns)] if order is not None else []
        return weakened(merged(read), "row-level")

    def _named_or_read(self, node: exp.Expr, scope: Scope, columns: Mapping[str, Uses]) -> Uses:
        """An ORDER BY may name the query's own columns."""
        named = [column for column in node.find_all(exp.Column) if not column.table]
        if not named:
            return self._uses(node, scope)
        if any(folded_column(column.name) not in columns for column in named):
            raise Unresolvable(f"no column {named[0].name} is known")
        others = (self._uses(column, scope) for column in node.find_all(exp.Column) if column.table)
        return merged((*(columns[folded_column(column.name)] for column in named), *others))

    def _from(self, node: exp.Expr, scope: Scope) -> Iterator[Uses]:
        """Fills the scope with what its FROM and its joins offer; gives what decides which rows there are."""
        first = node.args.get("from_")
        if first is not None:
            yield from self._relation(first.this, scope)
        yield from self._joins(node, scope)
        for lateral in node.args.get("laterals") or ():
            yield from self._relation(lateral, scope)

    def _joins(self, node: exp.Expr, scope: Scope) -> Iterator[Uses]:
        for join in node.args.get("joins") or ():
            yield from self._relation(join.this, scope)
            if join.args.get("using"):
                raise Unresolvable("a join USING columns that are not known")
            for name in ("on", "match_condition"):
                if join.args.get(name) is not None:
                    yield self._uses(join.args[name], scope)

    def _relation(self, node: exp.Expr, scope: Scope) -> Iterator[Uses]:
        """Names one part of a FROM in the scope; gives what decides which rows it has."""
        source, rows = self._source(node, scope)
        yield rows
        if source is not None:
            pivots = node.args.get("pivots") or ()
            for pivot in pivots:
                source = _pivoted(pivot, source)
                yield source.all
            name = (pivots[-1].alias if pivots else "") or node.alias_or_name
            if name in scope.sources:
                raise Unresolvable(f"two tables of its FROM are called {name}")
            scope.sources[name] = source
        yield from self._joins(node, scope)

    def _source(self, node: exp.Expr, scope: Scope) -> tuple[Source | None, Uses]:
        """What it offers (None: it is a join in parentheses, whose tables are named by themselves), and what decides about its rows."""
        match node:
            case exp.Table(this=exp.Func()):
                if not isinstance(node.this, _MAKE_ROWS):
                    raise Unresolvable(f"it reads {node.this.sql()[:60]}, of which nothing is known")
                return Source({}, self._uses(node.this, scope)), {}
            case exp.Table():
                return self._table(node, scope)
            case exp.Subquery(this=exp.Table() | exp.Subquery()) if not node.alias:
                return None, merged(self._relation(node.this, scope))
            case exp.Subquery() | exp.Lateral(this=exp.Subquery()):
                columns = _renamed(self.query(node.this, scope), node.alias_column_names)
                return Source(columns.columns), columns.rows
            case exp.Lateral() | exp.Unnest():
                uses = self._uses(node.this, scope) if isinstance(node, exp.Lateral) else self._all(node.expressions, scope)
                return Source({}, weakened(uses, "computed")), weakened(uses, "row-level")
            case exp.Values():
                return Source({}, self._all(node.expressions, scope)), {}
            case _:
                raise Unresolvable(f"its FROM has a {node.key}, which cannot be followed")

    def _table(self, node: exp.Table, scope: Scope) -> tuple[Source, Uses]:
        query = scope.query(node.name) if not node.db else None
        if query is not None:
            return Source(_renamed(query, node.alias_column_names).columns), query.rows
        source = self._tables.get((node.db.casefold(), node.name.casefold())) if node.catalog.casefold() == self._catalog else None
        if source is None:
            written = ".".join(part for part in (node.catalog, node.db, node.name) if part)
            raise Unresolvable(f"it reads {written}, of which nothing is known")
        return Source(_renamed(QueryColumns(source.columns, {}), node.alias_column_names).columns), {}

    def _all(self, nodes: Iterable[exp.Expr], scope: Scope) -> Uses:
        return merged(self._uses(node, scope) for node in nodes)

    def _uses(self, node: exp.Expr, scope: Scope) -> Uses:
        """What the value of an expression is made from."""
        match node:
            case exp.Column():
                return scope.source(node.table).column(node.name)
            case exp.TableColumn():
                return weakened(scope.source(node.name).all, "computed")
            case exp.Count(this=exp.Star()):
                return {}
            case exp.Query():
                columns = self.query(node, scope)
                return merged((columns.all, dict.fromkeys(columns.rows, "conditional")))
            case exp.Alias() | exp.Paren() | exp.Cast() | exp.TryCast():
                return self._uses(node.this, scope)
            case exp.Columns() | exp.PositionalColumn() | exp.Star() | exp.Command():
                raise Unresolvable(f"{node.sql()[:60]} does not name the columns that it reads")
        return merged(weakened(self._uses(part, scope), kind) for part, kind in _parts(node, scope))


def _parts(node: exp.Expr, scope: Scope) -> Iterator[tuple[exp.Expr, Kind]]:
    """The parts of an expression: those that become part of its value, and those that only decide which it is."""
    match node:
        case exp.Case():
            values, conditions = [*node.args["ifs"], node.args.get("default")], [node.this]
        case exp.If():
            values, conditions = [node.args.get("true"), node.args.get("false")], [node.this]
        case exp.Window():
            values, conditions = [node.this], list(_window_parts(node, scope))
        case exp.Filter() | exp.Nullif() | exp.ArgMax() | exp.ArgMin():
            values, conditions = [node.this, node.args.get("count")], [node.expression]
        case exp.Count() | exp.CountIf() | exp.ApproxDistinct():
            values, conditions = [], list(node.iter_expressions())
        case exp.WithinGroup():
            values, conditions = [node.this, *node.expression.expressions], []
        case exp.Order():
            values, conditions = [node.this], node.expressions
        case _:
            values, conditions = list(node.iter_expressions()), []
    yield from ((part, "computed") for part in values if isinstance(part, exp.Expr))
    yield from ((part, "conditional") for part in conditions if isinstance(part, exp.Expr))


def _window_parts(window: exp.Window, scope: Scope) -> Iterator[exp.Expr | None]:
    """Of a window that refers to a named one, those of both."""
    yield from window.args.get("partition_by") or ()
    yield from (window.args.get("order"), window.args.get("spec"))
    if window.alias:
        yield from _window_parts(scope.window(window.alias), scope)


def _pivoted(pivot: exp.Pivot, source: Source) -> Source:
    """Columns that it does not name are passed on; the names of the others stand in the data."""
    values, fields = (set(_named(pivot.args.get(part) or ())) for part in ("expressions", "fields"))
    kinds: tuple[Kind, Kind] = ("computed", "computed") if pivot.args.get("unpivot") else ("computed", "conditional")
    made = [weakened(source.column(name), kind) for names, kind in zip((values, fields), kinds, strict=True) for name in names]
    return Source({name: uses for name, uses in source.columns.items() if name not in values | fields}, merged(made))


def _named(nodes: Iterable[exp.Expr]) -> Iterator[str]:
    return (folded_column(column.name) for node in nodes for column in node.find_all(exp.Column))


def _renamed(query: QueryColumns, names: Sequence[str]) -> QueryColumns:
    """With the names that stand behind the alias, as in `orders(id, day)`."""
    if len(names) > len(query.columns):
        raise Unresolvable("it gives names to more columns than there are")
    before = list(query.columns)
    after = [*map(folded_column, names), *before[len(names) :]]
    return QueryColumns(dict(zip(after, query.columns.values(), strict=True)), query.rows)
