"""Which claims on a product were made in this state folder? Whoever has the folder's lock need not wait for them."""

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from platform_resources.plan import conventions
from platform_resources.publications.whole_files import replace_text

_BOOTED = Path("/proc/sys/kernel/random/boot_id")


def claiming(state: Path, domain: str, product: str, claim: Callable[[Sequence[str], str], str]) -> str:
    """Make a claim by a name that nobody else has, noted here first; gives who has the product, empty where it is this one.

    `claim` is given that name, and before it those of claims that may still be there: whoever made them was killed, or got no answer.
    """
    former, token = own_claims(state, domain, product), uuid4().hex
    _note(state, domain, product, (*former, token))
    other = claim(former, token)
    _note(state, domain, product, former if other else (token,))
    return other


def own_claims(state: Path, domain: str, product: str) -> tuple[str, ...]:
    """The names of those that may still be there, the last one at the end; none where none was made since the machine was started.

    A copy of the folder, as of a disk image, may hold the name of a claim that is alive: it counts on that machine alone.
    """
    file = _file(state, domain, product)
    tokens, _, machine = file.read_text(encoding="utf-8").partition(" ") if file.exists() else ("", "", "")
    return tuple(filter(None, tokens.split(","))) if machine == _machine() else ()


def last_claim(state: Path, domain: str, product: str) -> str:
    """The name of the last one; empty where there is none."""
    return next(reversed(own_claims(state, domain, product)), "")


def _note(state: Path, domain: str, product: str, tokens: Sequence[str]) -> None:
    replace_text(_file(state, domain, product), f"{','.join(tokens)} {_machine()}")


def _file(state: Path, domain: str, product: str) -> Path:
    return (state / conventions.lock_file(domain, product)).with_suffix(".claim")


def _machine() -> str:
    """Containers have names of their own; machines are told apart by when they were started."""
    return f"{platform.node()} {_BOOTED.read_text(encoding='utf-8').strip() if _BOOTED.exists() else ''}"
