"""Notify registered programs of new versions (what each contains, how it differs, and where to read it), and of a product's end."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from platform_resources.incidents.messages import Message
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.people import outbox
from platform_resources.ledger.people.subscriptions import VersionHook, hooks_of
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import PortPublication
from platform_resources.notify.facts import RetiredProduct, SchemaChange
from platform_resources.notify.keys import retired_key, version_key
from platform_resources.plan.plan import ProductPlan


def version_messages(
    connection: Connection,
    products: Sequence[ProductPlan],
    changes: Mapping[tuple[str, str], SchemaChange],
    pages: str,
    since: datetime,
    now: datetime,
) -> Iterator[Message]:
    """Messages about versions published since, not sent before. `changes` are column changes by product and version."""
    named = {product.name: product for product in products}
    hooks = hooks_of(connection, named)
    known = outbox.keys_about(connection, "version", {hook.product for hook in hooks}, since) if hooks else {}
    published = {name: tuple(history.publications(connection, name, since, now)) for name in {hook.product for hook in hooks}}
    for hook in hooks:
        for version in dict.fromkeys(p.version for p in published[hook.product] if hook.is_new(p)):
            key = version_key(hook.product, version, hook.channel)
            if key not in known:
                ports = [publication for publication in published[hook.product] if publication.version == version]
                yield _message(key, hook, named[hook.product], ports, changes.get((hook.product, version)), pages, now)


def retired_calls(retired: RetiredProduct, hooks: Iterable[VersionHook], now: datetime) -> Iterator[Message]:
    """The last message to each webhook of a product that is retired."""
    name, domain = retired.about.name, retired.about.domain
    body = {
        "event": "product.retired",
        "product": name,
        "domain": domain,
        "retired_at": retired.at.isoformat(),
        "why": retired.why,
        "replacement": retired.replacement or None,
    }
    for hook in hooks:
        key = retired_key(name, retired.at, hook.channel)
        yield Message(key, "schema", hook.channel, name, domain, "", f"{retired.about.title} is retired", json.dumps(body), now)


def _message(
    key: str,
    hook: VersionHook,
    product: ProductPlan,
    ports: Sequence[PortPublication],
    change: SchemaChange | None,
    pages: str,
    now: datetime,
) -> Message:
    """The message to one webhook about one version, with addresses to read each port."""
    first, begin = ports[0], f"{pages.rstrip('/')}/api/v1"
    body = {
        "event": "version.published",
        "product": product.name,
        "domain": product.domain,
        "version": first.version,
        "product_version": first.product_version,
        "published_at": first.published_at.isoformat(),
        # Of the columns: major where some are gone or of another type, minor where some are new.
        "change": "none" if change is None else "major" if change.breaking else "minor",
        "ports": [
            {
                "name": port.port,
                "rows": port.rows,
                "records": f"{begin}/ports/{product.domain}/{product.name}/{port.port}/records?version={port.version}",
                "file": f"{begin}/products/{product.name}/ports/{port.port}/file?version={port.version}",
            }
            for port in ports
        ],
    }
    subject = f"{product.title}: version {first.version}"
    return Message(key, "version", hook.channel, product.name, product.domain, "", subject, json.dumps(body), now)
