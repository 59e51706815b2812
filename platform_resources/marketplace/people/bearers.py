"""Check the token or session of each request against the ledger, before anything else."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.database import Ledger, LedgerUnavailable
from platform_resources.ledger.people.token_store import AccessToken, is_ended, note_groups
from platform_resources.marketplace.security import TOKEN, Application, Receive, Scope, Send, headers_of, plain
from platform_resources.marketplace.shop import NotGranted
from platform_resources.services.access.tokens import LONGEST_OF_TEAMS, PREFIX, Need, TokenRefused, held_token, may

# Of so many people it is remembered which teams they had in their last request.
MOST_KNOWN = 10_000
# Pages are for people: a proxy may send a header of its own with each request to them.
FOR_MACHINES = ("/api/v1/", "/mcp")


class Bearers:
    """Middleware that attaches the request's token, or why it is invalid, and drops ended sessions.

    A person's tokens are of the teams that a proxy names with the person's newest request.
    """

    def __init__(self, inner: Application, ledger: Ledger, vouched_for: Callable[[Scope], Reader] | None = None) -> None:
        """`vouched_for` gives whom a proxy names in a request."""
        self.inner, self.ledger, self.vouched_for = inner, ledger, vouched_for
        self.groups: dict[str, tuple[str, ...]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await run_in_threadpool(self._look, scope)
            except LedgerUnavailable as error:
                await plain(503, str(error), send)
                return
        await self.inner(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        written = [value.partition(" ")[2].strip() for value in headers_of(scope, "authorization") if value.lower().startswith("bearer ")]
        if scope["path"].startswith(FOR_MACHINES) and any(header.startswith(PREFIX) for header in written):
            try:
                if len(written) > 1:
                    raise TokenRefused("there is more than one token")
                scope[TOKEN] = held_token(self.ledger, written[0], datetime.now(UTC))
            except TokenRefused as error:
                scope[TOKEN] = error
        elif self.vouched_for is not None:
            person = self.vouched_for(scope)
            if person.name and self.groups.get(person.name) != person.groups:
                with self.ledger.writing() as connection:
                    note_groups(connection, person.name, person.groups, LONGEST_OF_TEAMS)
                self.groups = {**dict(list(self.groups.items())[-MOST_KNOWN:]), person.name: person.groups}
        elif session := scope["session"].get("id"):
            with self.ledger.reading() as connection:
                if is_ended(connection, session):
                    scope["session"].clear()


def token_of(scope: Scope) -> AccessToken | None:
    """The request's valid token; None for readers without one."""
    token = scope.get(TOKEN)
    return token if isinstance(token, AccessToken) else None


def needs(need: Need) -> Callable[[Request], None]:
    """Require a scope of tokens sent to a route."""

    def checked(request: Request) -> None:
        token = token_of(request.scope)
        if not may(token, need):
            raise NotGranted(
                f"this token is for {', '.join(token.scopes if token else ())}, not for {need}; the page /tokens makes another"
            )

    return checked
