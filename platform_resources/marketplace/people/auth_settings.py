"""Sign-in settings, read from the server's environment only: a mesh's own files cannot change them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from platform_resources import settings
from platform_resources.access.duties import Officers
from platform_resources.settings import Setting
from platform_resources.spec.problems import unknown_text

KINDS = ("local", "proxy", "oidc")
SHORTEST_SECRET = 32


class AuthSettingsWrong(Exception):
    """Raised for unusable sign-in settings; says which and what to do."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The trusted proxy, and the headers in which it names the reader."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    header: str
    groups_header: str

    def is_trusted(self, address: str) -> bool:
        """Whether a direct request from this address comes from the proxy."""
        try:
            sender = ip_address(address)
        except ValueError:
            return False
        return any(sender in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider with this server's client."""

    issuer: str
    client: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How readers sign in: `local` without proxy and provider. `pages` is this server's public address, if known.

    `started` is another one at each start, and the same in all processes of a server.
    """

    proxy: Proxy | None = None
    provider: Provider | None = None
    officers: Officers = field(default_factory=Officers)
    pages: str = ""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    started: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def kind(self) -> Literal["local", "proxy", "oidc"]:
        """The way of signing in: local, proxy or oidc."""
        return "proxy" if self.proxy is not None else "oidc" if self.provider is not None else "local"

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that requests may use, beside those of this computer."""
        name = urlsplit(self.pages).hostname
        return frozenset({name} if name and self.kind != "local" else ())


def auth_settings(environment: Mapping[str, str]) -> AuthSettings:
    """Read the settings. Raises AuthSettingsWrong."""
    kind = settings.AUTH.value(environment) or "local"
    if kind not in KINDS:
        raise AuthSettingsWrong(f"{settings.AUTH.name}: {unknown_text('way', kind, KINDS)}")
    return AuthSettings(
        _proxy(environment) if kind == "proxy" else None,
        _provider(environment) if kind == "oidc" else None,
        Officers(frozenset(_listed(settings.PLATFORM, environment)), frozenset(_listed(settings.GOVERNANCE, environment))),
        settings.MESH_PAGES.value(environment),
        _secret(environment),
    )


def _listed(setting: Setting, environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in setting.value(environment).split(",") if part.strip())


def _needed(setting: Setting, environment: Mapping[str, str], kind: str) -> str:
    value = setting.value(environment)
    if not value:
        raise AuthSettingsWrong(f"{settings.AUTH.name} is {kind}, and {setting.name} is not set: {setting.meaning}")
    return value


def _proxy(environment: Mapping[str, str]) -> Proxy:
    _needed(settings.PROXIES, environment, "proxy")
    networks = []
    for written in _listed(settings.PROXIES, environment):
        try:
            networks.append(ip_network(written, strict=False))
        except ValueError as error:
            raise AuthSettingsWrong(
                f'{settings.PROXIES.name}: "{written}" is no address or network, such as 10.0.0.5 or 10.0.0.0/8'
            ) from error
    header, groups = (setting.value(environment) or setting.default for setting in (settings.PROXY_HEADER, settings.PROXY_GROUPS))
    return Proxy(tuple(networks), header.lower(), groups.lower())


def _provider(environment: Mapping[str, str]) -> Provider:
    _needed(settings.MESH_PAGES, environment, "oidc")
    issuer, client, secret = (_needed(name, environment, "oidc") for name in (settings.ISSUER, settings.CLIENT, settings.CLIENT_SECRET))
    return Provider(issuer.rstrip("/"), client, secret)


def _secret(environment: Mapping[str, str]) -> str:
    secret = settings.SESSION_SECRET.value(environment)
    if secret and len(secret) < SHORTEST_SECRET:
        raise AuthSettingsWrong(f"{settings.SESSION_SECRET.name} has {len(secret)} characters; it needs {SHORTEST_SECRET} at least")
    return secret or secrets.token_urlsafe(32)
