"""The mask `keyed-hash`: HMAC-SHA-256 in DuckDB's SQL, under a key that no SQL text holds (RFC 2104)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import KeyScope

_BLOCK = 64
_DIGITS = {"varchar": 32, "bigint": 15, "hugeint": 30, "uuid": 32}


class KeyedHash:
    """HMAC-SHA-256 under the mesh's secret key: equal values stay equal, in every product, and nobody without the key can try values out.

    A text becomes 32 hexadecimal digits, a bigint 60 bits, a hugeint 120 bits.
    """

    name = "keyed-hash"
    config = NothingToSet
    keyed: KeyScope = "mesh"
    example = """
- name: Research
  type: data-sharing-agreement
  properties:
    roles:
      - {role: analyst, sees: [public], columns: {email: keyed-hash}}
"""

    def takes(self, settings: Any, kind: str) -> bool:
        return is_hashable(kind)

    def sql(self, settings: Any, column: str, kind: str, key: str) -> str:
        return hashed(column, kind, key)


def is_hashable(kind: str) -> bool:
    """Whether values of the type have room for a hash that hardly ever collides."""
    return kind in _DIGITS


def hashed(column: str, kind: str, key: str) -> str:
    """The keyed hash of a column, as a value of its type. `key` is the name of the key."""
    inner, outer = (f"getvariable('{variable}')" for variable in _variables(key))
    digest = f"sha256({outer} || unhex(sha256({inner} || encode(cast({column} as varchar)))))"
    digits = f"substr({digest}, 1, {_DIGITS[kind]})"
    return digits if kind == "varchar" else f"cast({digits} as uuid)" if kind == "uuid" else f"cast('0x' || {digits} as {kind})"


def key_variables(key: str, secret: bytes) -> Mapping[str, bytes]:
    """The two variables that a connection must have for a key of this name."""
    block = (secret if len(secret) <= _BLOCK else hashlib.sha256(secret).digest()).ljust(_BLOCK, b"\0")
    return dict(zip(_variables(key), (bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)), strict=True))


def _variables(key: str) -> tuple[str, str]:
    """A key may be called after an agreement; a variable needs a plain name."""
    plain = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"mesh_inner_{plain}", f"mesh_outer_{plain}"


CAPABILITY = KeyedHash()
