"""Compare an account of Snowflake with what a mesh wants, and change it: first revoke, then protect, then give."""

import os
from collections.abc import Iterator, Mapping, Sequence

from platform_resources.access.role_folders import AccessChange, Act
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.plan.tenancy import MeshTenancy, ProductTenancy
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.published_places import CatalogView
from platform_resources.warehouses.snowflake.account_names import compute_name, database_of, members_role, readers_schema
from platform_resources.warehouses.snowflake.account_state import Found, found_compute, found_in_database, found_roles, shown, tables_of
from platform_resources.warehouses.snowflake.kept_notes import Notes
from platform_resources.warehouses.snowflake.sessions import Session, database_name, name_sql
from platform_resources.warehouses.snowflake.version_tables import role_topic, role_view
from platform_resources.warehouses.snowflake.wanted_objects import ORDER, PROTECTING, Key, WantedObject, wanted_domain, wanted_product

# The views that the readers of each role of a product find there, by the product's name and the role's.
Given = Mapping[str, Mapping[str, Sequence[CatalogView]]]
_ACTS: tuple[Act, ...] = ("revoke", "change", "create")


def account_changes(opened: Session, tenancy: MeshTenancy, given: Given, only: str = "") -> Iterator[AccessChange]:
    """What differs, in the order in which it is done; of one product where it is named. Nothing of products that were never refreshed."""
    there = {str(row["name"]) for row in shown(opened, "show databases")}
    products = [product for product in tenancy.products if database_of(product) in there and only in ("", product.name)]
    wanted, existing = dict[Key, WantedObject](), dict[Key, Found]()
    for product in products:
        tables = tables_of(opened, database_of(product))
        wanted |= dict(wanted_product(product, tenancy, given.get(product.name, {}), tables))
        existing |= dict(found_in_database(opened, database_of(product), tables))
    if only:
        for product in products:
            existing |= dict(found_roles(opened, f"{database_of(product)}__"))
    else:
        for domain in tenancy.domains:
            wanted |= dict(wanted_domain(domain, tenancy))
        existing |= {**dict(found_compute(opened)), **dict(found_roles(opened, ""))}
    yield from ordered(_differences(wanted, {key: state for key, state in existing.items() if not _is_spared(key, tenancy)}))


def _is_spared(key: Key, tenancy: MeshTenancy) -> bool:
    """Whether it is of a product whose description is broken, or of a domain that has no other."""
    if any(f"{database_name(*names, os.environ)}__" in key[1] for names in tenancy.spared):
        return True
    domains = {domain for domain, _ in tenancy.spared} - {domain.name for domain in tenancy.domains}
    return any(members_role(domain) in key[1] or key[1] == compute_name(domain) for domain in domains)


def _differences(wanted: Mapping[Key, WantedObject], existing: Mapping[Key, Found]) -> Iterator[tuple[Key, AccessChange]]:
    for key, wanted_object in wanted.items():
        place, there = f"{key[0]} {key[1]}", existing.get(key)
        if there is None:
            yield key, AccessChange("create", place, wanted_object.why, wanted_object.make)
        elif there.state != wanted_object.state:
            yield (
                key,
                AccessChange(
                    "change",
                    place,
                    f"it is {there.state}, not {wanted_object.state}: {wanted_object.why}",
                    wanted_object.change or wanted_object.make,
                ),
            )
    for key in existing.keys() - wanted.keys():
        if existing[key].drop:
            act: Act = "change" if key[0] in PROTECTING else "revoke"
            yield key, AccessChange(act, f"{key[0]} {key[1]}", _why_gone(key), existing[key].drop)


def _why_gone(key: Key) -> str:
    match key[0]:
        case "member":
            return "no grant, owner or domain of the mesh says so"
        case "privilege":
            return "nothing that the mesh offers needs it"
        case "role" | "schema":
            return "nobody has a grant of what it reads"
        case _:
            return "the mesh has nothing any more that it is for"


def ordered(changes: Iterator[tuple[Key, AccessChange]]) -> list[AccessChange]:
    """Removals first, members before what they had; then changes and additions, protection before members."""

    def rank(pair: tuple[Key, AccessChange]) -> tuple[int, int, str]:
        (kind, name), change = pair
        at = ORDER.index(kind)
        return _ACTS.index(change.act), -at if change.act == "revoke" else at, name

    return [change for _, change in sorted(changes, key=rank)]


def make_so(opened: Session, changes: Sequence[AccessChange]) -> Iterator[str]:
    """Run the statements; gives what could not be done. Where something could not be taken away nothing is given either."""
    failed = False
    for change in changes:
        if failed and change.act != "revoke":
            yield f"{change.place}: not done, since something could not be taken away before"
            continue
        for statement in change.statements:
            try:
                opened.rows(statement)
            except EngineError as error:
                failed = failed or change.act == "revoke"
                yield f"{change.place}: {str(error).strip().splitlines()[0]}; the statement was: {statement}"
                break


def show_to_roles(opened: Session, product: ProductTenancy, views: Mapping[str, Sequence[CatalogView]]) -> None:
    """After a publication: have the views of roles that there are show it; what gives roles more is `account_changes`' to say."""
    database = database_of(product)
    there = {str(row["name"]) for row in shown(opened, f"show schemas in database {quoted(database)}")}
    for role in product.readers:
        schema = readers_schema(role)
        notes = Notes(opened).remembered(role_topic(schema)) if schema in there else {}
        for view in views.get(role.name, ()):
            made = role_view(database, schema, view)
            if notes.get(name_sql(view.name)[1:-1], made.digest) != made.digest:
                for statement in made.statements:
                    opened.rows(statement)


def remove_database(opened: Session, database: str) -> None:
    """Drop a product's database with all its versions, after the roles on it."""
    for (kind, _), found_role in list(found_roles(opened, f"{database}__")):
        if kind == "role":
            opened.rows(found_role.drop[0])
    opened.rows(f"drop database if exists {quoted(database)}")
