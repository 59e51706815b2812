"""Create access tokens for programs, and check what a given token allows."""

import logging
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.token_store import (
    USE_WRITTEN_EVERY,
    AccessToken,
    note_use,
    token_of_secret,
    tokens_of,
    write_token,
)
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.consumer_queries import SeenPort
from platform_resources.publications.shared_objects import StoreUnreachable, shared_objects
from platform_resources.publications.shared_versions import listed_lately
from platform_resources.publications.version_records import PortVersion
from platform_resources.settings import STORE
from platform_resources.spec.problems import unknown_text
from platform_resources.warehouses.engine_errors import QueryFailed

# So that whoever finds one, or looks for some that leaked, knows what it is.
PREFIX = "mesh_"
USUAL, LONGEST = timedelta(days=90), timedelta(days=366)
# What a person may as a member of a team ends when they leave it, which a token hears of only when they sign in again.
LONGEST_OF_TEAMS = timedelta(days=30)
LONGEST_TITLE, MOST_SCOPES, MOST_TOKENS = 200, 50, 100
Need = Literal["metadata", "data", "act"]
DATA_OF = "data:"
# One empty file for each token and session that was ended lately, for those who go on while the ledger does not answer.
ENDED, ENDED_FOR = ".mesh/marketplace/ended", timedelta(days=7)
# The same for machines that share a storage, by day.
_SHARED = "ended"
_log = logging.getLogger(__name__)


class TokenRefused(Exception):
    """Raised for a token that cannot be created or is not valid; says why and what to do."""


@dataclass(frozen=True, slots=True)
class WantedToken:
    """The properties of a token to create: its person, title, scopes and expiry."""

    person: str
    groups: tuple[str, ...]
    title: str
    scopes: tuple[str, ...]
    until: datetime


def new_token(ledger: Ledger, plan: MeshPlan, wanted: WantedToken, now: datetime) -> tuple[str, AccessToken]:
    """Create a token: its text, which is stored nowhere, and the record that is stored. Raises TokenRefused."""
    title = wanted.title.strip()
    if not title or len(title) > LONGEST_TITLE:
        raise TokenRefused(f"say what the token is for, in at most {LONGEST_TITLE} characters")
    longest, whose = (LONGEST_OF_TEAMS, "a token of somebody with teams") if wanted.groups else (LONGEST, "a token")
    if not now < wanted.until <= now + longest:
        raise TokenRefused(f"{whose} ends after now and within {longest.days} days, not on {wanted.until:%Y-%m-%d}")
    scopes = tuple(dict.fromkeys(wanted.scopes))
    _check(scopes, plan)
    text = PREFIX + secrets.token_urlsafe(32)
    with ledger.writing() as connection:
        if sum(token.state(now) == "valid" for token in tokens_of(connection, wanted.person)) >= MOST_TOKENS:
            raise TokenRefused(f"{wanted.person} has {MOST_TOKENS} tokens; revoke those that nobody needs")
        return text, write_token(connection, text, AccessToken(0, wanted.person, wanted.groups, title, scopes, now, wanted.until))


def usual_end(groups: Collection[str], now: datetime) -> datetime:
    """Until when a token lasts if nobody says it."""
    return now + (LONGEST_OF_TEAMS if groups else USUAL)


def _check(scopes: Collection[str], plan: MeshPlan) -> None:
    """Raises TokenRefused for what is no scope, or names no port of this mesh."""
    if not scopes or len(scopes) > MOST_SCOPES:
        raise TokenRefused("say what the token may do: metadata, data, data:PRODUCT, data:PRODUCT/PORT, act")
    ports = {product.name: [port.name for port in product.outputs] for product in plan.products}
    for scope in scopes:
        product, _, port = scope.removeprefix(DATA_OF).partition("/")
        if not scope.startswith(DATA_OF):
            if scope not in ("metadata", "data", "act"):
                raise TokenRefused(unknown_text("scope", scope, ("metadata", "data", "data:PRODUCT", "data:PRODUCT/PORT", "act")))
        elif product not in ports:
            raise TokenRefused(unknown_text("product", product, ports))
        elif port and port not in ports[product]:
            raise TokenRefused(unknown_text("output port", port, ports[product]))


def held_token(ledger: Ledger, text: str, now: datetime) -> AccessToken:
    """The valid token with this text; notes that it was used. Raises TokenRefused."""
    with ledger.reading() as connection:
        token = token_of_secret(connection, text)
    if token is None:
        raise TokenRefused("this token is not known; `mesh token new` or the page /tokens makes one")
    if token.state(now) != "valid":
        ended = token.revoked_at or token.expires_at
        raise TokenRefused(f"this token was {token.state(now)} at {ended:%Y-%m-%d %H:%M} UTC; the page /tokens makes a new one")
    if token.last_used_at is None or now - token.last_used_at >= USE_WRITTEN_EVERY:
        with ledger.writing() as connection:
            note_use(connection, token.id, now)
    return token


def note_ended(state: Path, name: int | str, now: datetime) -> None:
    """Say that the token of this number, or the session of this digest, is worth nothing any more."""
    folder = state / ENDED
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(name)).touch()
    for known in folder.iterdir():
        if known.stat().st_mtime < (now - ENDED_FOR).timestamp():
            known.unlink(missing_ok=True)
    if STORE.value(os.environ):
        try:
            objects = shared_objects()
            objects.write(f"{_SHARED}/{now:%Y-%m-%d}/{name}", {})
            old = f"{_SHARED}/{now - ENDED_FOR:%Y-%m-%d}"
            objects.remove([key for key in objects.listed(_SHARED) if key < old])
        except StoreUnreachable as error:
            _log.warning("other machines hear it from the ledger alone: %s", error)


def was_ended(state: Path, name: int | str) -> bool:
    """Whether that was said: here, or on a machine that shares the storage, as long as that answers."""
    if (state / ENDED / str(name)).exists():
        return True
    keys = listed_lately(shared_objects(), _SHARED, anew=True) if STORE.value(os.environ) else None
    return any(key.endswith(f"/{name}") for key in keys or ())


def may(token: AccessToken | None, need: Need) -> bool:
    """Whether the token has the scope `need`; a caller without a token has every scope."""
    return token is None or need in token.scopes or (need == "data" and any(scope.startswith(DATA_OF) for scope in token.scopes))


def within(token: AccessToken | None, seen: SeenPort) -> SeenPort:
    """What the person sees of each port, restricted to what the token may read."""
    if token is None or "data" in token.scopes:
        return seen
    held = token

    def narrowed(product: str, port: PortVersion, version: str) -> PortVersion | None:
        own = [scope for scope in held.scopes if scope.partition("/")[0] == f"{DATA_OF}{product}"]
        if not own:
            raise QueryFailed(f"this token does not read {product}: it is for {', '.join(held.scopes)}")
        whole = f"{DATA_OF}{product}" in own or f"{DATA_OF}{product}/{port.port}" in own
        return seen(product, port, version) if whole else None

    return narrowed
