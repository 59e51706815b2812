"""The secret key of masks: from the environment, or from a file that only its owner may read; each agreement's is derived from it."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from platform_resources.capabilities.masks.keyed_hash import key_variables
from platform_resources.settings import MASK_KEY

KEY_FILE = ".mesh/mask.key"
_SHORTEST = 32


class NoMaskKey(Exception):
    """Raised when a mask needs a key and there is none that can be used; says what to do, never what was found."""


def mask_variables(state: Path, keys: Iterable[str]) -> dict[str, bytes]:
    """What a connection must hold to write masks with keys of these names. Raises NoMaskKey if any is needed and none is there."""
    names = sorted(keys)
    if not names:
        return {}
    secret = mask_key(state, os.environ)
    derived = {name: hmac.new(secret, name.encode(), hashlib.sha256).digest() for name in names}
    return {variable: value for name, key in derived.items() for variable, value in key_variables(name, key).items()}


def mask_key(state: Path, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key that all others are derived from. Raises NoMaskKey."""
    file = state / KEY_FILE
    key, origin = MASK_KEY.value(environment), MASK_KEY.name
    if not key:
        key, origin = _written(file), str(file)
    if len(key) < _SHORTEST:
        raise NoMaskKey(
            f"the key in {origin} is too short: {len(key)} characters, and {_SHORTEST} at least are needed; `mesh access key` makes one"
        )
    return key.encode()


def new_key(state: Path) -> Path:
    """Put a new random key in the place of the file, which only its owner may read; what was masked before no longer agrees with it."""
    file = state / KEY_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(secrets.token_hex(32))
        written.flush()
        os.fsync(written.fileno())
    os.replace(part, file)
    return file


def _written(file: Path) -> str:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NoMaskKey(f"a mask needs a key, and there is none; `mesh access key` makes one, or set {MASK_KEY.name}") from None
    except (OSError, UnicodeDecodeError):
        raise NoMaskKey(f"{file} cannot be read; `mesh access key` makes a new one") from None
    if mode & 0o077:
        raise NoMaskKey(
            f"others may read {file}, whose mode is {mode:04o}; run: chmod 600 {file}, and make a new key if they are not trusted"
        )
    return text
