"""Which claim on a product was made last in this state folder? Whoever has the folder's lock need not wait for that one."""

import platform
from pathlib import Path
from uuid import uuid4

from platform_resources.plan import conventions
from platform_resources.publications.whole_files import replace_text

_BOOTED = Path("/proc/sys/kernel/random/boot_id")


def new_claim(state: Path, domain: str, product: str) -> str:
    """A name for the claim that is about to be made, noted here first: nobody else has it."""
    token = uuid4().hex
    replace_text(_file(state, domain, product), f"{token} {_machine()}")
    return token


def last_claim(state: Path, domain: str, product: str) -> str:
    """The name of the last one; empty where there was none since the machine was started.

    A copy of the folder, as of a disk image, may hold the name of a claim that is alive: it counts on that machine alone.
    """
    file = _file(state, domain, product)
    token, _, machine = file.read_text(encoding="utf-8").partition(" ") if file.exists() else ("", "", "")
    return token if machine == _machine() else ""


def _file(state: Path, domain: str, product: str) -> Path:
    return (state / conventions.lock_file(domain, product)).with_suffix(".claim")


def _machine() -> str:
    """Containers have names of their own; machines are told apart by when they were started."""
    return f"{platform.node()} {_BOOTED.read_text(encoding='utf-8').strip() if _BOOTED.exists() else ''}"
