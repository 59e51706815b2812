"""Request a role of a product, and approve, reject, revoke or renew it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from platform_resources.access.agreement_problems import attribute_problems
from platform_resources.access.grants import Act, Grant, GrantEvent, NotAllowed, decided, requested
from platform_resources.access.reader_standing import OfferedRole, Offers
from platform_resources.access.views import Attributes, attributes_of
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.grant_store import decide, grants_of, request
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.spec.agreements import CLEAR
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.grantees import subject


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a role; `columns` are those that are needed of it, and `until` how long, where it is said."""

    role: str
    to: str
    purpose: str
    attributes: Mapping[str, str]
    by: str
    columns: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class RoleColumns:
    """The columns of a product's data sets, by how a role sees them; `rows`: a filter lets only some rows through."""

    clear: tuple[str, ...]
    masked: tuple[str, ...]
    hidden: tuple[str, ...]
    rows: bool


def role_columns(product: ProductPlan, role: str, attributes: Attributes) -> RoleColumns:
    """How the role sees the columns of all data sets."""
    clear, masked, hidden, rows = list[str](), list[str](), list[str](), False
    for data_set in product.data_sets:
        seen = data_set.views.of_role(role, attributes)
        shown = {column.name: column.how for column in seen.columns} if seen is not None else {}
        rows = rows or (seen is not None and bool(seen.rows))
        for column in data_set.spec.columns:
            how = shown.get(column.name)
            (hidden if how is None else clear if how == CLEAR else masked).append(column.name)
    return RoleColumns(tuple(clear), tuple(masked), tuple(hidden), rows)


def ask(ledger: Ledger, product: ProductPlan, wanted: Request, now: datetime) -> Grant:
    """Record a request; where the agreement decides by itself, it is approved at once. Raises NotAllowed."""
    if product.offers.retired is not None:
        raise NotAllowed(f"{product.name} {product.offers.retired}")
    role = _role(product.offers, wanted.role)
    try:
        subject(wanted.to)
    except ValueError as error:
        raise NotAllowed(str(error)) from error
    wrong = next(attribute_problems(wanted.to, wanted.attributes, dict(role.attributes)), "")
    if wrong:
        raise NotAllowed(wrong)
    needs = tuple(_needs(product, wanted)) if wanted.purpose else ()
    purpose = " ".join((_sentence(wanted.purpose), *needs)) if needs else wanted.purpose
    grant = requested("", product.name, role.role, wanted.to, purpose, attributes_of(wanted.attributes), wanted.by, now)
    automatic = role.approval == "automatic"
    event = decided(grant, "approved", f"agreement {role.agreement}", "approval: automatic", now, role.duration) if automatic else None
    return request(ledger, grant, event)


def act_on_grant(
    ledger: Ledger,
    plan: MeshPlan,
    name: str,
    act: Act,
    by: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
    *,
    vouched: bool = False,
) -> Grant:
    """Approve, reject, revoke or renew a grant, as an owner of its product by name, or as somebody who is `vouched` to decide.

    Raises NotAllowed; NoSuchGrant of the ledger.
    """

    def decision(grant: Grant) -> GrantEvent:
        product = next((product for product in plan.products if product.name == grant.product), None)
        if act in ("approved", "renewed") and product is None:
            raise NotAllowed(f"the agreement of {grant.product} cannot be read now; `mesh validate` says why")
        role = product.offers.role(grant.role) if product is not None else None
        if act in ("approved", "renewed") and role is None:
            raise NotAllowed(f"no agreement of {grant.product} has the role {grant.role} any more")
        deciders = product.offers.owners if product is not None and not vouched else ()
        return decided(grant, act, by, why, now, role.duration if role is not None else None, until, deciders)

    written = next((grant for product in plan.products for grant in product.offers.grants if grant.name == name), None)
    if written is not None:
        decision(written)  # which refuses, and says where it stands
    return decide(ledger, name, decision)


def _sentence(text: str) -> str:
    """It ends before another begins."""
    return text if text.rstrip().endswith((".", "!", "?")) else f"{text.rstrip()}."


def _needs(product: ProductPlan, wanted: Request) -> Iterator[str]:
    """What is needed, for who decides. Raises NotAllowed for columns that the role does not show, with the roles that do."""
    seen = role_columns(product, wanted.role, attributes_of(wanted.attributes))
    known = {*seen.clear, *seen.masked, *seen.hidden}
    for name in wanted.columns:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            raise NotAllowed(f'{product.name} has no column "{name}"' + (f"\n{hint}" if hint else ""))
    missing = [name for name in wanted.columns if name not in {*seen.clear, *seen.masked}]
    if missing:
        fitting = [role.role for role in product.offers.roles or () if _shows(product, role, missing)]
        others = f"; {known_text(fitting)} shows them" if fitting else "; no role does"
        raise NotAllowed(f"the role {wanted.role} does not show {known_text(missing)}{others}")
    if wanted.columns:
        yield f"Needs {', '.join(name if name in seen.clear else f'{name} (masked)' for name in wanted.columns)}."
    if wanted.until is not None:
        yield f"Wanted until {wanted.until:%Y-%m-%d}."


def _shows(product: ProductPlan, role: OfferedRole, columns: Collection[str]) -> bool:
    seen = role_columns(product, role.role, tuple((name, values[0]) for name, values in role.attributes))
    return {*columns} <= {*seen.clear, *seen.masked}


def _role(offers: Offers, name: str) -> OfferedRole:
    role = offers.role(name)
    if role is None:
        names = [role.role for role in offers.roles or ()]
        hint = did_you_mean(name, names)
        problem = f'{offers.product} has no role "{name}"; it has: {known_text(names)}' if names else f"{offers.product} has no agreement"
        raise NotAllowed(problem + (f"\n{hint}" if hint else ""))
    return role


def all_grants(plan: MeshPlan, ledger: Ledger) -> tuple[Grant, ...]:
    """All grants: those written in agreements, and those recorded in the ledger."""
    with ledger.reading() as connection:
        return (*(grant for product in plan.products for grant in product.offers.grants), *grants_of(connection))
