"""The page to get access to a product: roles, requests and their state, and subscriptions."""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from fastapi import Request

from platform_resources.access.grants import Grant, NotAllowed
from platform_resources.access.reader_standing import OfferedRole, Reader
from platform_resources.ledger.people.published_contracts import PortSwitch
from platform_resources.ledger.people.subscriptions import end_hook, hooks_of, subscribe, subscriptions, unsubscribe
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.services.access import requests
from platform_resources.services.access.access_plan import give_now
from platform_resources.services.access.requests import all_grants, ask
from platform_resources.services.access.version_hooks import begin_hook
from platform_resources.services.releases.ending_ports import switched
from platform_resources.services.showing.channel_states import channels_of
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.notifications import Severity
from platform_resources.spec.values.grantees import is_same

_LOG = logging.getLogger(__name__)
SEVERITIES: Mapping[str, Severity] = {"low": "low", "medium": "medium", "high": "high", "critical": "critical"}
LONGEST_PURPOSE = 1000
ATTRIBUTE = "attribute"
Fields = Mapping[str, str]
NOTHING: Fields = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A role to request, with the columns it shows in clear, masked, or not at all."""

    offered: OfferedRole
    columns: requests.RoleColumns


def access_page(
    shop: Shop, request: Request, product: ProductPlan, refused: str = "", typed: Fields = NOTHING, secret: str = ""
) -> dict[str, Any]:
    """The context of the template `access.html`; `refused` says why a request failed, `typed` is what the form contained.

    `secret` is the secret of a webhook that was registered just now.
    """
    view, who = shop.view(request), shop.reads_as(request)
    with shop.market.ledger.reading() as connection:
        own = [wish for wish in subscriptions(connection, product.name) if is_same(wish.subscriber, who)]
        hooks = hooks_of(connection, (product.name,), who)
    channels = sorted(channels_of(view.plan))
    grants = [grant for grant in all_grants(view.plan, shop.market.ledger) if grant.product == product.name]
    return {
        "page": "product",
        "times": PageTimes(view.at, product.zone),
        "product": product,
        "choices": tuple(_choices(product)),
        "standing": view.reading.standing(product),
        "grants": [grant for grant in grants if is_own(grant, view, who)],
        "now": datetime.now(UTC),
        "subjects": subjects(view, who),
        "own": own,
        "channels": [*([who] if "@" in who else []), *channels],
        "severities": tuple(SEVERITIES),
        "refused": refused,
        "typed": typed,
        "hooks": hooks,
        "secret": secret,
    }


def is_own(grant: Grant, view: MeshOverview, who: str) -> bool:
    """Whether the reader requested the grant, or would receive it."""
    return is_same(grant.requested_by, who) or (view.reader or Reader(who)).is_among((grant.subject,))


def subjects(view: MeshOverview, who: str) -> tuple[str, ...]:
    """For whom one may request: oneself, one's teams, products one owns; this computer's user for every product."""
    owned = (product.name for product in view.plan.products if view.reader is None or view.reader.is_among(product.owners))
    return who, *(view.reader.groups if view.reader is not None else ()), *(f"product:{name}" for name in owned)


def _choices(product: ProductPlan) -> Iterator[RoleChoice]:
    for offered in product.offers.roles or ():
        attributes = tuple((name, values[0]) for name, values in offered.attributes)
        yield RoleChoice(offered, requests.role_columns(product, offered.role, attributes))


def asked_for(shop: Shop, request: Request, product: ProductPlan, fields: Fields) -> Grant:
    """Record the request of a form. Raises NotAllowed, FormRefused."""
    view, who = shop.view(request), shop.reads_as(request)
    role, to = fields.get("role", ""), fields.get("to", who)
    if to not in subjects(view, who):
        raise FormRefused(f"You may ask for {', '.join(subjects(view, who))}; not for “{to}”.")
    if not role:
        raise NotAllowed("choose as what you want to read it")
    purpose = fields.get("purpose", "").strip()[:LONGEST_PURPOSE]
    begin = f"{ATTRIBUTE}:{role}:"
    attributes = {name.removeprefix(begin): value for name, value in fields.items() if name.startswith(begin)}
    columns = tuple(name.strip() for name in fields.get("columns", "")[:LONGEST_PURPOSE].split(",") if name.strip())
    until = day(fields.get("until", ""))
    wanted = requests.Request(role, to, purpose, attributes, who, columns, until.date() if until is not None else None)
    grant = ask(shop.market.ledger, product, wanted, datetime.now(UTC))
    followed(shop, view.plan, grant)
    return grant


def followed(shop: Shop, plan: MeshPlan, grant: Grant) -> None:
    """After a grant action, renew the pages and update the folders of roles."""
    shop.market.written()
    if grant.last not in ("requested", "rejected"):
        for text in give_now(shop.market.state, plan, grant.product, datetime.now(UTC)):
            _LOG.warning("%s; `mesh access plan` lists what differs", text)


def heard(shop: Shop, request: Request, product: ProductPlan, fields: Fields) -> None:
    """Subscribe or unsubscribe the reader from a product. Raises FormRefused."""
    who, channel, now = shop.reads_as(request), fields.get("channel", ""), datetime.now(UTC)
    known = channels_of(shop.market.view().plan)
    if channel not in known and not (is_same(channel, who) and "@" in channel):
        raise FormRefused(f"“{channel}” is no channel of this mesh, and not your own address.")
    if product.offers.retired is not None and fields.get("do") != "end":
        raise FormRefused(f"{product.name} {product.offers.retired}.")
    with shop.market.ledger.writing() as connection:
        if fields.get("do") == "end":
            unsubscribe(connection, product.name, who, channel, now)
        elif (severity := SEVERITIES.get(fields.get("severity", ""))) is not None:
            subscribe(connection, product.name, who, channel, severity, now)
        else:
            raise FormRefused(f"Choose from which severity on: {', '.join(SEVERITIES)}.")


def moved(shop: Shop, request: Request, product: ProductPlan, port: str, consumer: str) -> PortSwitch:
    """Note that the reader, or a team of theirs, does without a port that ends. Raises NotAllowed."""
    view, who = shop.view(request), shop.reads_as(request)
    if consumer and consumer not in subjects(view, who):
        raise NotAllowed(f"you may say it of {', '.join(subjects(view, who))}; not of “{consumer}”")
    with shop.market.ledger.writing() as connection:
        switch = switched(connection, product, port, consumer or who, who, datetime.now(UTC))
    shop.market.written()
    return switch


def listening(shop: Shop, request: Request, product: ProductPlan, fields: Fields) -> str:
    """Let a machine hear of new versions, or no more; gives the secret of its calls where it begins. Raises HookRefused, FormRefused."""
    who, now, number = shop.reads_as(request), datetime.now(UTC), fields.get("hook", "")
    if fields.get("do") != "end":
        url = fields.get("url", "").strip()
        return begin_hook(shop.market.ledger, shop.market.state, product, who, url, os.environ, now)[0]
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise FormRefused("That is no machine of yours.")
    with shop.market.ledger.writing() as connection:
        if not end_hook(connection, int(number), who, now):
            raise FormRefused("That is no machine of yours, or it has ended before.")
    return ""


def day(written: str) -> datetime | None:
    """The date in a form, None if empty. Raises NotAllowed if it is not a date."""
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC) if written else None
    except ValueError as error:
        raise NotAllowed(f'"{written[:20]}" is no day; write it as 2027-02-28') from error
