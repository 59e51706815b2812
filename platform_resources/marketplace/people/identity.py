"""Identify the sender of a request, and send unknown senders to sign in."""

import json
from typing import Any
from urllib.parse import quote

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.kept_pages import Who
from platform_resources.marketplace.people.auth_settings import AuthSettings, Proxy
from platform_resources.marketplace.people.bearers import FOR_MACHINES, token_of
from platform_resources.marketplace.security import SAFE, TOKEN, Application, Receive, Scope, Send, headers_of, plain
from platform_resources.services.access.tokens import TokenRefused
from platform_resources.services.showing.counted_reads import local_reader
from platform_resources.spec.values.grantees import is_same, subject

# Whoever is not known; no product, grant or team has this name.
NOBODY = Reader("")
OPEN = ("/static/", "/sign-in", "/health/")


def known_reader(auth: AuthSettings) -> Who:
    """A function that identifies a request's sender: None is this computer's user, and only without sign-in."""

    def who(scope: Scope) -> Reader | None:
        if TOKEN in scope:
            token = token_of(scope)
            if token is not None and auth.kind == "local" and is_same(token.person, local_reader()):
                return None
            return Reader(token.person, groups=token.groups) if token is not None else NOBODY
        if auth.proxy is not None:
            return vouched_for(auth.proxy, scope)
        name = scope["session"].get("name", "")
        # One without an id could never be ended.
        if not name or not scope["session"].get("id"):
            return None if auth.kind == "local" else NOBODY
        return Reader(name, groups=tuple(scope["session"].get("groups", ())))

    return who


def vouched_for(proxy: Proxy, scope: Scope) -> Reader:
    """The reader named by the proxy; NOBODY if the request comes from elsewhere or repeats a header."""
    address = (scope.get("client") or ("", 0))[0]
    names, groups = (headers_of(scope, name) for name in (proxy.header, proxy.groups_header))
    if not proxy.is_trusted(address) or len(names) != 1 or len(groups) > 1 or not is_person(names[0].strip()):
        return NOBODY
    return Reader(names[0].strip(), groups=teams(",".join(groups).split(",")))


def is_person(name: str) -> bool:
    """Whether the name can be a person's: teams and products cannot sign in."""
    try:
        return ":" not in subject(name)
    except ValueError:
        return False


def teams(groups: Any) -> tuple[str, ...]:
    """A person's groups as `team:name`; invalid names are left out."""
    named = (group.strip() if group.strip().startswith("team:") else f"team:{group.strip()}" for group in groups if isinstance(group, str))
    return tuple(dict.fromkeys(team for team in named if _is_team(team)))


def _is_team(name: str) -> bool:
    try:
        return subject(name) == name
    except ValueError:
        return False


class Door:
    """Middleware that admits known readers; others are sent to sign in, or refused."""

    def __init__(self, inner: Application, who: Who, auth: AuthSettings) -> None:
        self.inner, self.who, self.auth = inner, who, auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OPEN) or self.who(scope) != NOBODY:
            await self.inner(scope, receive, send)
        elif scope["path"].startswith(FOR_MACHINES):
            refused = scope.get(TOKEN)
            why = str(refused) if isinstance(refused, TokenRefused) else "nobody knows who asks"
            body = json.dumps({"error": why, "hint": "sign in, or send a token: Authorization: Bearer mesh_…"})
            await plain(401, body, send, b"application/json", ((b"www-authenticate", b"Bearer"),))
        elif self.auth.kind == "oidc" and scope["method"] in SAFE:
            query = scope["query_string"].decode("latin-1")
            to = quote(scope["path"] + (f"?{query}" if query else ""), safe="")
            await plain(303, "Sign in first.", send, more=((b"location", f"/sign-in?to={to}".encode()),))
        else:
            await plain(401, "Nobody knows who asks: this server is to be reached through its proxy, or signed in to.", send)
