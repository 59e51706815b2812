"""Call a webhook with a signed, timed text, only at hosts that the platform allows."""

import hmac
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit

from platform_resources.notify.delivery import KEY_HEADER, LIMIT, DeliveryFailed, within_limit
from platform_resources.settings import AUTH, HOOK_HOSTS

SIGNATURE = "Mesh-Signature"
LONGEST_ADDRESS = 2000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class AddressRefused(Exception):
    """Raised for a webhook address that this server does not call; says which it does."""


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead to hosts that only this server can reach."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def hook_hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts that may be called; without sign-in also this computer."""
    own = LOOPBACK if AUTH.value(environment) in ("", "local") else ()
    return (*(host.strip().lower() for host in HOOK_HOSTS.value(environment).split(",") if host.strip()), *own)


def check_address(url: str, hosts: Collection[str]) -> None:
    """Raise AddressRefused unless it is a plain https address of an allowed host; `*.name` allows all subdomains."""
    try:
        split = urlsplit(url)
        host, plain = (split.hostname or "").lower(), not (split.username or split.password) and split.port != 0
    except ValueError:
        host, plain, split = "", False, urlsplit("")
    known = any(host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:])) for allowed in hosts)
    safe = split.scheme == "https" or (split.scheme == "http" and host in LOOPBACK)
    if not (host and plain and known and safe and url.isascii() and url.isprintable() and " " not in url) or len(url) > LONGEST_ADDRESS:
        allowed = ", ".join(hosts) or "none"
        raise AddressRefused(f"write an https address without a password, of a host that {HOOK_HOSTS.name} allows: {allowed}")


def signature(secret: str, body: bytes, at: datetime) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA-256 of the seconds, a point and the body."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={hmac.new(secret.encode(), seconds.encode() + b'.' + body, 'sha256').hexdigest()}"


def call(url: str, secret: str, key: str, text: str, at: datetime, hosts: Collection[str], limit: timedelta = LIMIT) -> None:
    """Send the text; retries reuse the `key`. Raises DeliveryFailed, after `limit` at the latest."""
    body = text.encode()
    headers = {"content-type": "application/json", SIGNATURE: signature(secret, body, at), KEY_HEADER: key}
    outcome = within_limit(limit, lambda: _taken(url, body, headers, hosts, limit))
    if outcome is not True:
        raise outcome or DeliveryFailed(f"no answer within {limit.total_seconds():g} s")


def _taken(url: str, body: bytes, headers: Mapping[str, str], hosts: Collection[str], limit: timedelta) -> Literal[True]:
    try:
        check_address(url, hosts)
        request = urllib.request.Request(url, body, dict(headers), method="POST")
        with urllib.request.build_opener(_Here, urllib.request.ProxyHandler({})).open(request, timeout=limit.total_seconds()):
            return True
    except AddressRefused as error:
        raise DeliveryFailed(str(error)) from error
    except urllib.error.HTTPError as error:
        raise DeliveryFailed(f"it answered with status {error.code}") from None
    except (OSError, HTTPException) as error:
        raise DeliveryFailed(f"it was not reached: {getattr(error, 'reason', None) or type(error).__name__}") from None
