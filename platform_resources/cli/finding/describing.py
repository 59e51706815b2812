"""The commands `mesh describe` and `mesh lineage`: a product for its consumers, and where its columns come from."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.tree import Tree

from platform_resources.cli.contracts.ending import port_endings, print_ending
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, plain, print_json, product_of, stop
from platform_resources.cli.terminal.memory import opened
from platform_resources.cli.terminal.status_tables import print_product
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import AgreementPlan, ProductPlan
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.repository.mesh_repository import names_behind
from platform_resources.spec.data_classes import class_named
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import duration_text

if TYPE_CHECKING:
    from platform_resources.lineage.mesh_lineage import Step
    from platform_resources.services.catalog.product_description import ProductDescription

# Where `mesh serve` listens if nobody says otherwise.
SERVED_AT = "http://127.0.0.1:8080"


def describe(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    port: Annotated[str | None, typer.Option(help="Show how to read this output port; otherwise the first one.")] = None,
    as_json: Json = False,
) -> None:
    """Show what consumers need to know of a product: purpose, terms, health, promises, columns, and how to read it."""
    from platform_resources.services.catalog.product_description import description_data, product_description
    from platform_resources.services.control_ports.declared_ports import control_port_states
    from platform_resources.services.product_status import looked_at
    from platform_resources.services.releases.product_life import product_life

    # Who reads it, and what it is made from, are counted in the plan.
    root, plan = mesh_of(context, names_behind(mesh_root(context.obj), product), upstream=True)
    chosen, now = product_of(plan, product), datetime.now(UTC)
    if port is not None and port not in (names := [output.name for output in chosen.outputs]):
        hint = did_you_mean(port, names)
        stop(f'{product} has no output port "{port}"; it has: {known_text(names)}' + (f"\n{hint}" if hint else ""), CANNOT_RUN)
    with opened(root) as ledger:
        (health,), trust = looked_at(ledger, state_folder(root), plan, [chosen], now)
        with ledger.reading() as connection:
            states = control_port_states(connection, chosen)
            life = product_life(connection, state_folder(root), chosen)
    endings = port_endings(root, [chosen]) if any(output_port.is_ending for output_port in chosen.outputs) else ()
    described = product_description(chosen, health, trust[product], state_folder(root), SERVED_AT, "", states, endings, life)
    if as_json:
        print_json(description_data(described))
    else:
        _print_description(described, port, Clock(chosen.zone, now))


def _print_description(described: "ProductDescription", port: str | None, clock: Clock) -> None:
    """Print a product's description as a tree."""
    print_product(described.health, described.trust, clock)
    tree = Tree(f"[bold]{plain(described.product.title)}[/] {described.product.info.version} {described.product.info.lifecycle}")
    if described.life.tombstone is not None:
        for line in described.life.tombstone.lines(with_readers=True):
            tree.add(cell(line))
        if described.life.tombstone.replacement:
            tree.add(cell(f"{described.life.tombstone.replacement} takes its place: mesh describe {described.life.tombstone.replacement}"))
    introduce(described.product, tree)
    if described.life.certificate is not None:
        tree.add(cell(described.life.certificate.text(clock.now)))
    out.print()
    out.print(tree)
    for data_set in described.product.data_sets:
        out.print()
        out.print(_columns(data_set))
    for number, access in enumerate(described.access):
        out.print()
        out.print(
            cell(
                f"output port {access.port.name} ({access.port.interface}, {access.port.data_set}): {access.port.description}".rstrip(": ")
            ),
            style="bold",
        )
        for ending in described.endings:
            if ending.port == access.port.name:
                print_ending(ending)
        if access.port.name == port or (port is None and number == 0):
            for snippet in access.snippets:
                out.print(cell(f"# {snippet.title}{f': {snippet.note}' if snippet.note else ''}"), style="dim", soft_wrap=True)
                out.print(cell(snippet.text.rstrip()), soft_wrap=True, highlight=False)
                out.print()
        else:
            out.print(f"how to read it: mesh describe {plain(described.product.name)} --port {plain(access.port.name)}")
    for control in described.control_ports:
        when = f", {clock.moment(control.taken_at)}" if control.taken_at is not None else ""
        out.print()
        out.print(cell(f"control port {control.title} ({control.kind}, {control.format}) at {control.place}"), style="bold", soft_wrap=True)
        out.print(cell(f"{control.text}{when}"), soft_wrap=True)


def _columns(data_set: DataSetPlan) -> Table:
    title = cell(f"{data_set.name}: {data_set.spec.description}")
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in ("column", "type", "class", "unit", "identifier", "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    for column in data_set.spec.columns:
        key = " (key)" if column.name in data_set.spec.primary_key else ""
        shown = (f"{column.name}{key}", column.type, column.classification, column.unit or "", column.identifier or "", column.description)
        table.add_row(*map(cell, shown))
    return table


def introduce(product: ProductPlan, tree: Tree) -> None:
    """Add the product's description for consumers to the printed tree."""
    readers = tree.add("for its readers")
    for line in _lines(product):
        readers.add(line)
    for agreement in product.agreements:
        branch = readers.add(f"agreement {plain(agreement.title)}")
        for line in _terms(agreement):
            branch.add(line)
        if agreement.spec.roles:
            branch.add(f"ask for a role: mesh access request {product.name} --role ROLE --purpose WHY")
            branch.add(f"who has a role now: mesh access who {product.name}")
    for query in product.sample_queries:
        branch = readers.add(f"sample query {plain(query.title)} [dim]of {plain(query.port)}[/]")
        sql = query.sql.strip() if "--" in query.sql else " ".join(query.sql.split())
        branch.add(f"mesh query {product.name} {plain(shlex.quote(sql))}")
    for metric in product.metrics:
        readers.add(f"metric {plain(metric.title)} [dim]{plain(metric.kind)}, of {plain(', '.join(metric.models) or 'no model')}[/]")
    for semantic in product.semantic_models:
        readers.add(f"semantic model {plain(semantic.title)} [dim]{plain(semantic.text)}[/]")


def _lines(product: ProductPlan) -> Iterator[str]:
    info, support = product.info, product.info.support
    from platform_resources.services.catalog.product_description import runbook_place

    said = {
        "what": info.description,
        "purpose": info.purpose,
        "owners": ", ".join(product.owners),
        "support": support.channel,
        "runbook": runbook_place(product),
        "tags": ", ".join(info.tags),
        **{f"term {tag}": text for tag, text in product.terms.items()},
    }
    yield from (f"{word}: {plain(' '.join(text.split()))}" for word, text in said.items() if text)


def _terms(agreement: AgreementPlan) -> Iterator[str]:
    spec = agreement.spec
    said = {
        "what": spec.description,
        "purpose": spec.purpose,
        "terms": spec.terms,
        "approval": "automatic" if spec.approval == "automatic" else "by the owner",
        "duration": duration_text(spec.duration) if spec.duration else "",
        "notice period": duration_text(spec.notice_period) if spec.notice_period else "",
    }
    yield from (f"{word}: {plain(' '.join(text.split()))}" for word, text in said.items() if text)
    for role in spec.roles:
        masks = [f"{column} by {role.masks.get(column, class_named(column).mask).mask}" for column in role.masked]
        columns = [f"{name} {use.mask}" for name, use in role.columns.items()]
        parts = {"masked": masks, "columns": columns, "rows where": [role.rows] if role.rows else []}
        more = "".join(f"; {word}: {', '.join(part)}" for word, part in parts.items() if part)
        yield plain(f"role {role.role} sees {', '.join(role.sees) or 'nothing in the clear'}{more}")
    for granted in spec.grants:
        ending = f" until {granted.until}" if granted.until else ""
        yield plain(f"grants role {granted.role} to {granted.to}{ending}: {granted.purpose}")


def lineage(
    context: typer.Context,
    column: Annotated[str, typer.Argument(help="The column: PRODUCT.COLUMN or PRODUCT.DATA_SET.COLUMN.", metavar="COLUMN")],
    as_json: Json = False,
) -> None:
    """Show the columns that a column is made from, and the columns, products and consumers that a change would affect."""
    from platform_resources.services.showing.column_lineage import NoSuchColumn, lineage_data, lineage_of, mesh_lineage, named_column

    root, plan = mesh_of(context)
    name, _, written = column.partition(".")
    if not written:
        stop(f'"{column}" names no column; write PRODUCT.COLUMN or PRODUCT.DATA_SET.COLUMN', CANNOT_RUN)
    known = mesh_lineage(state_folder(root), plan)
    try:
        lineage = lineage_of(known, plan, named_column(known, product_of(plan, name), written))
    except NoSuchColumn as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        print_json(lineage_data(lineage))
        return
    _print_steps(f"{lineage.column.text} is made from", lineage.upstream, "nothing that is known")
    out.print()
    _print_steps("A change of it concerns", lineage.downstream, "nothing that is known")
    for product, consumer in lineage.consumers:
        out.print(f"  {plain(consumer.title)}, {plain(consumer.kind)} of {plain(consumer.owner or 'nobody named')}, reads {plain(product)}")
    for place, why in lineage.unknown:
        out.print(f"[yellow]not known of {plain(place)}:[/] {plain(why)}")


def _print_steps(title: str, steps: "Sequence[Step]", otherwise: str) -> None:
    out.print(f"[bold]{plain(title)}[/]" + ("" if steps else f" {otherwise}"))
    table = Table(box=None, show_header=False, padding=(0, 2))
    for step in steps:
        table.add_row(cell(step.column.text), cell(step.kind))
    if steps:
        out.print(table)
