"""Sign in and out: by choosing a person on one's own computer, or at an OpenID provider."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from platform_resources.ledger.people.token_store import digest, end_session, note_groups
from platform_resources.marketplace.people.auth_settings import AuthSettings, AuthSettingsWrong, Provider
from platform_resources.marketplace.people.identity import is_person, teams
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop
from platform_resources.services.access.requests import all_grants
from platform_resources.services.access.tokens import LONGEST_OF_TEAMS, note_ended

CALLBACK = "/sign-in/callback"
# How long a session lasts that nobody ends.
SESSION = timedelta(hours=12)


class SignInFailed(FormRefused):
    """Raised if a provider does not identify somebody; the message quotes its answer."""


def sign_in_routes(shop: Shop, auth: AuthSettings) -> APIRouter:
    """The routes to sign in and out; none behind a proxy, which has its own."""
    router = APIRouter(include_in_schema=False)
    if auth.provider is not None:
        _at_provider(router, shop, auth, auth.provider)
    elif auth.kind == "local":
        _local(router, shop)
    if auth.kind != "proxy":

        @router.post("/sign-out")
        async def sign_out(request: Request) -> Response:
            await shop.fields(request)
            await run_in_threadpool(_ended, shop, request)
            return RedirectResponse("/", 303)

    return router


def _ended(shop: Shop, request: Request) -> None:
    """Also for whoever has a copy of the cookie."""
    if session := request.session.get("id"):
        now = datetime.now(UTC)
        with shop.market.ledger.writing() as connection:
            end_session(connection, session, now, SESSION)
        note_ended(shop.market.state, digest(session), now)
    request.session.clear()


def begun(request: Request, person: Mapping[str, Any]) -> None:
    """Start a new session for the person; anything kept from before is dropped."""
    request.session.clear()
    request.session.update(person, id=secrets.token_urlsafe(24))


def here(to: str) -> str:
    """The address if it is on this server, otherwise the home page, so that links cannot redirect elsewhere."""
    plain = to.startswith("/") and not to.startswith(("//", "/sign-")) and "\\" not in to and to.isprintable()
    return to if plain else "/"


def _local(router: APIRouter, shop: Shop) -> None:
    @router.get("/sign-in")
    def choose(request: Request, to: str = "/") -> Response:
        view = shop.view(request)
        return shop.page("sign_in.html", view, {"page": "sign-in", "people": _known_people(shop), "to": here(to)})

    @router.post("/sign-in")
    async def chosen(request: Request) -> Response:
        fields = await shop.fields(request)
        name = fields.get("name", "").strip()
        if not is_person(name):
            raise FormRefused(f"“{name}” is no name of a person: write an e-mail address or a user name.")
        begun(request, {"name": name, "groups": list(teams(fields.get("groups", "").split(",")))})
        return RedirectResponse(here(fields.get("to", "/")), 303)


def _known_people(shop: Shop) -> list[str]:
    """Owners, and whoever has asked for a role or has one."""
    plan = shop.market.view().plan
    named = [owner for product in plan.products for owner in product.owners]
    named += [grant.subject for grant in all_grants(plan, shop.market.ledger)]
    return sorted({name for name in named if is_person(name)})


def _at_provider(router: APIRouter, shop: Shop, auth: AuthSettings, provider: Provider) -> None:
    client = _client(provider)

    @router.get("/sign-in")
    async def begin(request: Request, to: str = "/") -> Response:
        request.session.clear()
        request.session["to"] = here(to)
        led: Response = await client.authorize_redirect(request, auth.pages.rstrip("/") + CALLBACK)
        return led

    @router.get(CALLBACK)
    async def end(request: Request) -> Response:
        to = here(request.session.get("to", "/"))
        person = await _told_by_provider(client, request)
        begun(request, person)
        await run_in_threadpool(_noted, shop, person)
        return RedirectResponse(to, 303)


def _noted(shop: Shop, person: Mapping[str, Any]) -> None:
    """The person's tokens are of the teams that they have now."""
    with shop.market.ledger.writing() as connection:
        note_groups(connection, person["name"], person["groups"], LONGEST_OF_TEAMS)


async def _told_by_provider(client: Any, request: Request) -> Mapping[str, Any]:
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
    from joserfc.errors import JoseError

    try:
        token = await client.authorize_access_token(request)
    except (AuthlibBaseError, JoseError) as error:
        raise SignInFailed(f"The provider has not signed you in: {error}. Begin again at the first page.") from error
    return person_of(token.get("userinfo") or {})


def person_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The person that the provider's claims identify. Raises SignInFailed without a verified address."""
    name = claims.get("email")
    if not isinstance(name, str) or not is_person(name) or claims.get("email_verified") is not True:
        raise SignInFailed("The provider names no e-mail address that it has verified, so nobody is signed in.")
    groups = claims.get("groups", ())
    return {"name": name, "groups": list(teams(groups if isinstance(groups, list | tuple) else ()))}


def _client(provider: Provider) -> Any:
    try:
        from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise AuthSettingsWrong(f'signing in at a provider needs {error.name}; install the extra "oidc"') from error
    known = OAuth()
    known.register(
        "mesh",
        client_id=provider.client,
        client_secret=provider.secret,
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )
    return known.mesh
