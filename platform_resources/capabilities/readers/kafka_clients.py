"""Which topic a port names, and which settings of a client of Kafka it may say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.spec.values.channel_urls import VARIABLE, written_secrets

ClientSetting = str | int | bool
# What decides that nothing is lost is not left to a file.
_OURS = frozenset(
    {
        "acks", "auto.offset.reset", "bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store", "enable.idempotence",
        "enable.partition.eof", "metadata.broker.list", "request.required.acks",
    }
)  # fmt: skip


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
        return f"changes to {self.topic} of {hashlib.sha256(self.servers.encode()).hexdigest()[:16]}"


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
