"""The input port interface `kafka`."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from platform_resources.capabilities.protocols import PullRows
from platform_resources.capabilities.readers.kafka_clients import client_settings
from platform_resources.capabilities.readers.kafka_messages import KafkaMessages, Load
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.channel_urls import url_problem
from platform_resources.spec.values.field_types import Text


class KafkaSettings(Strict):
    """Which topic of which brokers, how its messages are written, and what of them is kept."""

    servers: Text
    topic: Text
    format: Literal["json", "avro"] = "json"
    schema_: Text | None = Field(default=None, alias="schema")
    registry: Text | None = None
    load: Load = "latest"
    client: dict[str, str | int | bool] = {}

    @field_validator("registry")
    @classmethod
    def _without_a_secret(cls, url: str | None) -> str | None:
        problem = url_problem(url) if url is not None else None
        if problem is not None:
            raise ValueError(f"{problem[0]}; write one such as https://${{REGISTRY_USER}}:${{REGISTRY_PASSWORD}}@registry.example.com")
        return url

    @field_validator("client")
    @classmethod
    def _of_the_client(cls, client: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        return client_settings(client)

    @model_validator(mode="after")
    def _has_a_schema(self) -> "KafkaSettings":
        named = [name for name, value in (("schema", self.schema_), ("registry", self.registry)) if value is not None]
        if self.format == "avro" and len(named) != 1:
            raise ValueError("avro needs either schema, a file such as order.avsc beside product.yaml, or registry, the address of one")
        if self.format == "json" and named:
            raise ValueError(f"{named[0]} is for avro; JSON says its names itself, and columns says which are promised")
        return self


class KafkaInput:
    """Messages of a Kafka topic: the newest of each key, or every one. Needs the extra `kafka`."""

    name = "kafka"
    kind = "kafka"
    config = KafkaSettings
    example = """
- name: orders
  type: input-port
  properties:
    interface: kafka
    servers: broker.example.com:9092
    topic: shop.orders
    client: {security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: mesh, sasl.password: "${KAFKA_PASSWORD}"}
    bad_rows: quarantine
    columns:
      - {name: order_id, type: bigint}
      - {name: amount, type: "decimal(18,2)"}
"""

    def pull(self, settings: KafkaSettings) -> PullRows:
        said = settings.servers, settings.topic, settings.format, settings.schema_ or "", settings.registry or "", settings.load
        return PullRows(KafkaMessages(*said, settings.client))


CAPABILITY = KafkaInput()
