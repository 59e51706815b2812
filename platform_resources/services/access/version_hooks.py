"""Let a machine hear of a product's new versions, in somebody's name, by calls that only this platform can sign.

The secret of the calls is derived from a key that is not in the ledger, so that who reads the ledger can sign nothing.
"""

import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.subscriptions import VersionHook, add_hook, hooks_of
from platform_resources.ledger.queries.history import publications
from platform_resources.notify.signed_calls import AddressRefused, check_address, hook_hosts
from platform_resources.plan.plan import ProductPlan
from platform_resources.settings import HOOK_KEY

MOST_HOOKS = 50
KEY_FILE = ".mesh/hook.key"
SHORTEST = 32
# Longer than nobody is told of a version any more; other machines' clocks may be ahead.
KNOWN_FOR, FOR_EVER = timedelta(days=30), datetime.max.replace(tzinfo=UTC)
# What the ledger keeps begins with it; what does not is a secret itself, kept before there was a key.
DERIVED = "of-key:"


class HookRefused(Exception):
    """Raised for a machine that cannot hear of versions; says why and what to do."""


def begin_hook(
    ledger: Ledger, state: Path, product: ProductPlan, person: str, url: str, environment: Mapping[str, str], now: datetime
) -> tuple[str, VersionHook]:
    """The secret of its calls, which is kept nowhere, and what is kept of it. Raises HookRefused."""
    if product.offers.retired is not None:
        raise HookRefused(f"{product.name} {product.offers.retired}")
    try:
        check_address(url, hook_hosts(environment))
        wanted = VersionHook(0, product.name, person, url, new_seed(), now)
        secret = secret_of(wanted, state, environment)
    except (AddressRefused, NoHookKey) as error:
        raise HookRefused(str(error)) from error
    with ledger.writing() as connection:
        if len(hooks_of(connection, person=person)) >= MOST_HOOKS:
            raise HookRefused(f"{person} has {MOST_HOOKS} hooks; end those that nobody needs")
        known = {publication.version for publication in publications(connection, product.name, now - KNOWN_FOR, FOR_EVER)}
        return secret, add_hook(connection, replace(wanted, known=sorted(known)))


class NoHookKey(Exception):
    """Raised where there is no key from which secrets could be derived; says what to do, never what was found."""


def new_seed() -> str:
    """What the ledger keeps of a new machine's secret; it is worth nothing without the key."""
    return f"{DERIVED}{secrets.token_urlsafe(32)}"


def secret_of(hook: VersionHook, state: Path, environment: Mapping[str, str]) -> str:
    """Raises NoHookKey."""
    if not hook.seed.startswith(DERIVED):
        return hook.seed
    return hmac.new(_hook_key(state, environment), hook.seed.encode(), "sha256").hexdigest()


def _hook_key(state: Path, environment: Mapping[str, str]) -> bytes:
    """That of the environment; else that of the file, which is made where there is none and which only its owner may read."""
    file = state / KEY_FILE
    key, origin = HOOK_KEY.value(environment), HOOK_KEY.name
    if not key:
        try:
            origin = str(file)
            if not file.exists():
                _make_key(file)
            key = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoHookKey(f"{file} cannot be read ({type(error).__name__}); set {HOOK_KEY.name}") from error
    if len(key) < SHORTEST:
        raise NoHookKey(f"the key in {origin} is too short: {SHORTEST} characters at least are needed")
    return key.encode()


def _make_key(file: Path) -> None:
    """Whole or not at all; of two that make it at once the first counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(secrets.token_hex(32))
        written.flush()
        os.fsync(written.fileno())
    try:
        with suppress(FileExistsError):
            os.link(part, file)
    finally:
        part.unlink()
