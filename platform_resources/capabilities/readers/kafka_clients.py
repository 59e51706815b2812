"""Which topic a port names, which settings of a client of Kafka it may say, and what that client complains of."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from platform_resources.capabilities.readers.message_formats import EXTRA
from platform_resources.capabilities.readers.source_addresses import SourceUnread, filled, library
from platform_resources.spec.values.channel_urls import VARIABLE, written_secrets

ClientSetting = str | int | bool
# What decides that nothing is lost is not left to a file.
_OURS = frozenset(
    {
        "acks", "auto.offset.reset", "bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence",
        "enable.partition.eof", "metadata.broker.list", "request.required.acks",
    }
)  # fmt: skip


# What deliveries to topics are noted under begins with it.
CHANGES_TO = "changes to "


@dataclass(frozen=True, slots=True)
class StreamTopic:
    """The topic that gets the changes of an output port, as `role` sees it, or as others do where there is no agreement."""

    servers: str
    topic: str
    role: str
    client: Mapping[str, ClientSetting]

    @property
    def item(self) -> str:
        """What the ledger notes its deliveries under. Another topic, or other brokers, begin with every row."""
        return f"{CHANGES_TO}{self.topic} of {hashlib.sha256(self.servers.encode()).hexdigest()[:16]}"


class KafkaClient:
    """A consumer or a producer, and what it has said of its connections. Raises SourceUnread for settings that no client takes."""

    def __init__(
        self, kind: Literal["Consumer", "Producer"], servers: str, said: Mapping[str, ClientSetting], ours: Mapping[str, Any]
    ) -> None:
        kafka, self.servers, self.complaints = library("confluent_kafka", EXTRA), servers, dict[str, None]()
        settings = {name: filled(value) if isinstance(value, str) else value for name, value in said.items()}
        always = {"bootstrap.servers": filled(servers), "log_level": 0, "error_cb": _noting(self.complaints)}
        try:
            self.handle = getattr(kafka, kind)({**settings, **ours, **always})
        except kafka.KafkaException as error:
            raise SourceUnread(f"client: {error.args[0].str().strip()}") from error

    def reasons(self, first: str, *, is_lost: bool) -> str:
        """Why something failed; where the brokers are lost, what the connections to them say of it."""
        self.handle.poll(0)  # it tells of its connections only when it is asked
        silent = f"nothing at {self.servers} answers as a broker of Kafka would; see servers, and security.protocol in client"
        return "; ".join(dict.fromkeys((first, *(list(self.complaints)[-2:] or [silent] * is_lost))))


def _noting(complaints: dict[str, None]) -> Callable[[Any], None]:
    """Knows nothing of the client, which would else stay until the garbage is collected; a process has at most a thousand of them."""

    def complained(error: Any) -> None:
        if not error.str().endswith("brokers are down"):  # which says nothing that the reason for it does not
            complaints[error.str().partition(" (after ")[0]] = None

    return complained


def client_settings(said: Mapping[str, ClientSetting]) -> dict[str, ClientSetting]:
    """The settings as they are written. Raises ValueError for one that is the platform's, and for a secret that everybody would read."""
    ours = sorted(_OURS & said.keys())
    if ours:
        raise ValueError(f"{', '.join(ours)} is set by the platform; leave it out (the brokers are named by servers)")
    if written := [*written_secrets(said), *(name for name in said if name.endswith((".password", ".pem")) and not _named(said[name]))]:
        raise ValueError(
            f"{', '.join(dict.fromkeys(written))} would be a secret that everybody reads; write ${{NAME}} and set it in the environment"
        )
    return dict(said)


def _named(value: Any) -> bool:
    return isinstance(value, str) and VARIABLE.search(value) is not None
