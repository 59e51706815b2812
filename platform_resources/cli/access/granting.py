"""Commands about grants: request a role, decide, list and review, and replace the key of masks."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.table import Table

from platform_resources.access.grants import Act, Grant, NotAllowed, State
from platform_resources.cli.access.provisioning import apply, plan, show_tenancy
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    cell,
    mesh_of,
    named_values,
    out,
    plain,
    print_json,
    print_table,
    product_of,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.settings import MASK_KEY
from platform_resources.spec.problems import unknown_text

if TYPE_CHECKING:
    from platform_resources.ledger.database import Ledger

app = typer.Typer(
    help="Who may read what: ask for a role of a product, decide, list and review.", no_args_is_help=True, add_completion=False
)
app.command()(plan)
app.command()(apply)
STATES: tuple[State, ...] = get_args(State)
UNUSED_FOR = timedelta(days=90)
GrantOrProduct = Annotated[str, typer.Argument(help="The name of a grant, or of a product.", metavar="GRANT|PRODUCT")]
Name = Annotated[str, typer.Argument(help="The grant's name, as `mesh access list` has it.", metavar="GRANT")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; the name of the user of this computer if left out.")]
Why = Annotated[str, typer.Option("--why", help="The reason, which is kept.")]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The day on which it ends, in UTC.")]


@app.command()
def request(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    role: Annotated[str, typer.Option(help="The role of its agreement (`mesh describe PRODUCT` lists them).")],
    purpose: Annotated[str, typer.Option(help="What the data is for.")],
    to: Annotated[str | None, typer.Option(help="For whom: a person, team:name or product:name; you if left out.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="An attribute of the role, such as region=EU; repeatable.", metavar="NAME=VALUE")
    ] = None,
    column: Annotated[list[str] | None, typer.Option(help="A column that is needed, for the owner who decides; repeatable.")] = None,
    until: Until = None,
    by: By = None,
) -> None:
    """Ask for a role of a product. Its owner decides, unless the agreement says that it is automatic."""
    from platform_resources.services.access.requests import Request, ask

    root, mesh = mesh_of(context, [product])
    asked = product_of(mesh, product)
    who = by or you("--by")
    day = until.date() if until is not None else None
    wanted = Request(role, to or who, purpose, named_values("--attribute", attribute or ()), who, tuple(column or ()), day)
    with opened(root) as ledger:
        grant = _allowed(lambda: ask(ledger, asked, wanted, datetime.now(UTC)))
    _say(grant)
    _give(root, mesh, grant)
    if grant.last == "requested":
        words.print(f"{plain(' or '.join(asked.owners) or 'the owner')} decides: mesh access approve {grant.name}", highlight=False)


@app.command()
def approve(context: typer.Context, name: Name, by: By = None, why: Why = "", until: Until = None) -> None:
    """Approve a request. It applies from the next refresh or query on, for as long as the agreement lasts."""
    _act(context, name, "approved", by, why, until)


@app.command()
def reject(context: typer.Context, name: Name, why: Why = "", by: By = None) -> None:
    """Reject a request, with a reason."""
    _act(context, name, "rejected", by, why)


@app.command()
def revoke(context: typer.Context, name: Name, why: Why = "", by: By = None) -> None:
    """Revoke a grant, with a reason. It applies at once to queries, and to products from their next refresh on."""
    _act(context, name, "revoked", by, why)


@app.command()
def renew(context: typer.Context, name: Name, by: By = None, why: Why = "", until: Until = None) -> None:
    """Renew an approved or expired grant."""
    _act(context, name, "renewed", by, why, until)


def _act(context: typer.Context, name: str, act: Act, by: str | None, why: str, until: datetime | None = None) -> None:
    from platform_resources.ledger.people.grant_store import NoSuchGrant
    from platform_resources.services.access.requests import act_on_grant

    root, mesh = mesh_of(context)
    who, ending = by or you("--by"), until.replace(tzinfo=UTC) if until is not None else None
    with opened(root) as ledger:
        try:
            grant = _allowed(lambda: act_on_grant(ledger, mesh, name, act, who, why, datetime.now(UTC), ending))
        except NoSuchGrant as error:
            stop(str(error), CANNOT_RUN)
    _say(grant)
    _give(root, mesh, grant)


def _give(root: Path, mesh: MeshPlan, grant: Grant) -> None:
    """Files follow the decision at once, as far as something is published."""
    from platform_resources.services.access.access_plan import give_now

    state = state_folder(root)
    for text in give_now(state, mesh, grant.product, datetime.now(UTC)) if grant.last not in ("requested", "rejected") else ():
        words.print(f"{text}; `mesh access plan` lists what differs", style="yellow", markup=False, highlight=False)


def _allowed(act: Callable[[], Grant]) -> Grant:
    try:
        return act()
    except NotAllowed as error:
        stop(str(error), CANNOT_RUN)


def _say(grant: Grant) -> None:
    ending = f" until {grant.until:%Y-%m-%d}" if grant.until is not None and grant.last in ("approved", "renewed") else ""
    out.print(f"grant {grant.name}: role {plain(grant.role)} of {grant.product} for {plain(grant.subject)} is {grant.last}{ending}")


@app.command("list")
def listing(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help=f"Only those in this state: {', '.join(STATES)}.")] = None,
    as_json: Json = False,
) -> None:
    """List all grants, including those written in agreements."""
    if state is not None and state not in STATES:
        stop(unknown_text("state", state, STATES), CANNOT_RUN)
    _list(context, lambda _plan, _ledger, grant: state in (None, grant.state(datetime.now(UTC))), as_json)


@app.command()
def show(context: typer.Context, name: GrantOrProduct, as_json: Json = False) -> None:
    """Show a grant and its history; or, for a product, its compute, schemas and roles."""
    from platform_resources.ledger.people.grant_store import NoSuchGrant, events_of_grant
    from platform_resources.services.access.requests import all_grants

    root, mesh = mesh_of(context)
    product = next((product for product in mesh.products if product.name == name), None)
    if product is not None:
        show_tenancy(root, mesh, product, as_json)
        return
    with opened(root) as ledger:
        grant = next((grant for grant in all_grants(mesh, ledger) if grant.name == name), None)
        if grant is None:
            stop(str(NoSuchGrant(f'no grant "{name}"; `mesh access list` lists them')), CANNOT_RUN)
        with ledger.reading() as connection:
            events = () if grant.in_code else events_of_grant(connection, name)
    if as_json:
        print_json({**_grant_data(grant), "events": [asdict(event) for event in events]})
        return
    table = Table("when", "what", "by", "why", "until", box=None, header_style="bold", title=_title(grant), title_justify="left")
    asked = "approved in product.yaml" if grant.in_code else "requested"
    table.add_row(
        *map(cell, (_moment(grant.requested_at), asked, grant.requested_by, grant.purpose, _day(grant.until if grant.in_code else None)))
    )
    for event in events:
        table.add_row(*map(cell, (_moment(event.at), event.act, event.by, event.why, _day(event.until))))
    out.print(table)


def _title(grant: Grant) -> str:
    return plain(f"grant {grant.name}: role {grant.role} of {grant.product} for {grant.subject}, {grant.state(datetime.now(UTC))}")


def _grant_data(grant: Grant) -> dict[str, Any]:
    return {**asdict(grant), "attributes": dict(grant.attributes), "state": grant.state(datetime.now(UTC))}


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else ""


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at is not None else ""


@app.command()
def who(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """List everybody who has, had or requested a role of a product."""
    product_of(mesh_of(context, [product])[1], product)
    _list(context, lambda _plan, _ledger, grant: grant.product == product, as_json)


@app.command()
def of(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="A person, team:name or product:name.")],
    as_json: Json = False,
) -> None:
    """List the roles that somebody has, had or requested."""
    _list(context, lambda _plan, _ledger, grant: grant.subject == subject, as_json)


@app.command()
def review(context: typer.Context, as_json: Json = False) -> None:
    """List the approved grants that nobody has used for 90 days."""
    from platform_resources.ledger.queries.reads import has_read, pulls_of

    now = datetime.now(UTC)

    def unused(mesh: MeshPlan, ledger: "Ledger", grant: Grant) -> bool:
        if grant.state(now) != "approved" or (grant.last_at is not None and grant.last_at > now - UNUSED_FOR):
            return False
        with ledger.reading() as connection:
            return not has_read(connection, grant.product, grant.subject, now - UNUSED_FOR, pulls_of(mesh))

    _list(context, unused, as_json)


def _list(context: typer.Context, wanted: "Callable[[MeshPlan, Ledger, Grant], bool]", as_json: bool) -> None:
    from platform_resources.services.access.requests import all_grants

    root, mesh = mesh_of(context)
    with opened(root) as ledger:
        grants = [grant for grant in all_grants(mesh, ledger) if wanted(mesh, ledger, grant)]
    now = datetime.now(UTC)
    if as_json:
        print_json([_grant_data(grant) for grant in grants])
        return
    if not grants:
        words.print("no grant", highlight=False)
        return
    print_table(("grant", "product", "role", "for", "state", "until", "purpose", "by"), _rows(grants, now))


def _rows(grants: Sequence[Grant], now: datetime) -> Iterator[tuple[str, ...]]:
    for grant in grants:
        role = grant.role + "".join(f" {name}={value}" for name, value in grant.attributes)
        until = f"{grant.until:%Y-%m-%d}" if grant.until is not None else ""
        yield (grant.name, grant.product, role, grant.subject, grant.state(now), until, grant.purpose, grant.last_by)


@app.command()
def key(context: typer.Context) -> None:
    """Replace the secret key of masks. Versions published from now on are masked with the new key."""
    from platform_resources.refresh.views.mask_keys import new_key

    if MASK_KEY.value(os.environ):
        stop(f"{MASK_KEY.name} is set and goes before the file; put a new key there, or unset it", CANNOT_RUN)
    file = new_key(state_folder(mesh_root(context.obj)))
    out.print(f"a new key is in {plain(str(file))}; only you may read it. `mesh refresh --all` masks with it", highlight=False)
