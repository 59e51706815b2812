"""Collect the secrets that errors of one product may contain: environment variables that its files name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.redaction.redaction import Hide, Mask, environment_secrets

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DBT_FILES = ("*.yml", "*.yaml", "*.py", "macros/**/*")


def mask_of(root: Path, product: Placed) -> Mask:
    """Hides what looks like a credential, and the values of variables that are called a secret or that the product's files name.

    Files are its specs, its Python and what it shares beside the domains, its models and tests, and what dbt reads for all.
    """
    return Mask(environment_secrets(os.environ, _words(root, product) & os.environ.keys()))


def hiding(root: Path, product: Placed) -> Hide:
    """The same for work that begins now: also for a variable that the team's code sets or deletes on its way. No file is read later."""
    words, seen, hide = _words(root, product), dict[str, str](), Mask()

    def hidden(text: str) -> str:
        nonlocal seen, hide
        now = dict(os.environ)
        if now != seen:
            seen, hide = now, Mask(hide.secrets | environment_secrets(now, words & now.keys()))
        return hide(text)

    hidden("")
    return hidden


def _words(root: Path, product: Placed) -> frozenset[str]:
    return frozenset(word for file in _files(root, product) for word in _WORD.findall(_text(file)))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # of another process, which has just replaced it
        return ""


def _files(root: Path, product: Placed) -> Iterator[Path]:
    folder, dbt = root / conventions.product_folder(product.domain, product.name), root / conventions.DBT_FOLDER
    shown = [folder.rglob("*.py"), folder.rglob("*.yaml"), folder.parent.glob("*.yaml"), folder.parent.parent.glob("*.py")]
    shown += [dbt.glob(pattern) for pattern in _DBT_FILES]
    shown += [(dbt / kind / product.domain / product.name).rglob("*") for kind in ("models", "tests")]
    yield from (path for paths in shown for path in paths if path.is_file())
