"""One message to one channel, as it is queued."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MessageKind = Literal[
    "incident", "update", "reminder", "recovery", "budget", "schema", "digest", "access", "certificate", "version", "test"
]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a message claims about one product; it must hold when the message is sent.

    `status` is how `mesh status` calls the product, empty if the message does not say; `missed` are its checks that the message says fail,
    by their names within the product.
    """

    product: str
    status: str = ""
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one channel.

    `key` says what it is about and to which channel: a message with a key that was written before is the same message. `channel` is
    `<domain>.<channel>`, an e-mail address, or `hook:<number>` for a machine.
    `incident` is the incident's name (`orders#3`), empty where there is none. Not sent
    before `not_before`. `subject` is one line; `body` is Markdown. `says` is what must be true of products when it is sent.
    """

    key: str
    kind: MessageKind
    channel: str
    product: str
    domain: str
    incident: str
    subject: str
    body: str
    not_before: datetime
    says: tuple[Statement, ...] = ()
