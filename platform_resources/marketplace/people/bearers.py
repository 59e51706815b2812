"""Check the token or session of each request against the ledger, before anything else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.ledger.people.token_store import AccessToken, digest, is_ended, note_groups
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.security import TOKEN, Application, Receive, Scope, Send, headers_of, plain
from platform_resources.marketplace.shop import NotGranted
from platform_resources.services.access.tokens import LONGEST_OF_TEAMS, PREFIX, Need, TokenRefused, held_token, may, was_ended

# Of so many people it is remembered which teams they had in their last request.
MOST_KNOWN = 10_000
# Pages are for people: a proxy may send a header of its own with each request to them.
FOR_MACHINES = ("/api/v1/", "/mcp")
# While the ledger does not answer, who was let in so long before that, or since, still is.
LET_IN_SECONDS = 300
AWAY = "Whether you may still read cannot be seen now: the ledger does not answer. Try again in a moment."


class Bearers:
    """Middleware that attaches the request's token, or why it is invalid, and drops ended sessions.

    A person's tokens are of the teams that a proxy names with the person's newest request. While the ledger does not answer, those go on
    reading who read just before.
    """

    def __init__(self, inner: Application, market: Market, vouched_for: Callable[[Scope], Reader] | None = None) -> None:
        """`vouched_for` gives whom a proxy names in a request."""
        self.inner, self.market, self.vouched_for = inner, market, vouched_for
        self.groups: dict[str, tuple[str, ...]] = {}
        # Seconds of a clock that nobody sets: with the other one whoever sets it back would be let in for longer.
        self.let_in: dict[str, tuple[float, AccessToken | None]] = {}
        self.answered_at = monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await run_in_threadpool(self._look, scope)
            except LedgerUnavailable:
                await plain(503, AWAY, send, more=((b"retry-after", b"5"),))
                return
        await self.inner(scope, receive, send)

    def _look(self, scope: Scope) -> None:
        written = [value.partition(" ")[2].strip() for value in headers_of(scope, "authorization") if value.lower().startswith("bearer ")]
        if scope["path"].startswith(FOR_MACHINES) and any(header.startswith(PREFIX) for header in written):
            try:
                if len(written) > 1:
                    raise TokenRefused("there is more than one token")
                scope[TOKEN] = self._known(written[0], lambda now: held_token(self.market.ledger, written[0], now))
            except TokenRefused as error:
                scope[TOKEN] = error
        elif self.vouched_for is not None:
            person = self.vouched_for(scope)
            # Their tokens cannot be used meanwhile by anybody who was not let in before: it is noted with their next request.
            with suppress(LedgerUnavailable):
                self._note_groups(person)
        elif session := scope["session"].get("id"):
            try:
                self._known(session, lambda _: self._refuse_ended(session))
            except TokenRefused:
                scope["session"].clear()

    def _known(self, secret: str, ask: Callable[[datetime], AccessToken | None]) -> AccessToken | None:
        """What the ledger says of a token or session, or said just before it went away. Raises TokenRefused, LedgerUnavailable."""
        now, asked_at, name = datetime.now(UTC), monotonic(), digest(secret)
        try:
            token = self.market.patient.asked(lambda: ask(now))
        except LedgerUnavailable:
            at, token = self.let_in.get(name, (None, None))
            if at is None or self.answered_at - at > LET_IN_SECONDS or (token is not None and token.state(now) != "valid"):
                raise
            if was_ended(self.market.state, token.id if token is not None else name):
                raise
            return token
        except TokenRefused:
            self.let_in.pop(name, None)
            raise
        self.answered_at = asked_at
        self.let_in.pop(name, None)
        self.let_in[name] = asked_at, token
        if len(self.let_in) > MOST_KNOWN:
            self.let_in.pop(next(iter(self.let_in)), None)
        return token

    def _refuse_ended(self, session: str) -> None:
        with self.market.ledger.reading() as connection:
            if is_ended(connection, session):
                raise TokenRefused("this session has ended")

    def _note_groups(self, person: Reader) -> None:
        if person.name and self.groups.get(person.name) != person.groups:
            with self.market.ledger.writing() as connection:
                note_groups(connection, person.name, person.groups, LONGEST_OF_TEAMS)
            self.groups = {**dict(list(self.groups.items())[-MOST_KNOWN:]), person.name: person.groups}


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
