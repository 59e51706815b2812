"""The output port interface `kafka`."""

from pydantic import field_validator

from platform_resources.capabilities.protocols import Store
from platform_resources.capabilities.readers.kafka_clients import StreamTopic, client_settings
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text


class KafkaOutputSettings(Strict):
    """Which topic of which brokers, and as which role of the agreement its readers see the data set."""

    servers: Text
    topic: Text
    role: Text | None = None
    client: dict[str, str | int | bool] = {}

    @field_validator("client")
    @classmethod
    def _of_the_client(cls, client: dict[str, str | int | bool]) -> dict[str, str | int | bool]:
        return client_settings(client)


class KafkaOutput:
    """What was inserted, updated and deleted from version to version, by key, in a topic of Kafka. Needs the extra `kafka`.

    Files of the same version are kept beside it.
    """

    name = "kafka"
    kind = "kafka"
    config = KafkaOutputSettings
    example = """
- name: customers_changes
  type: output-port
  properties:
    interface: kafka
    data_set: customers
    servers: broker.example.com:9092
    topic: crm.customers
    client: {security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: mesh, sasl.password: "${KAFKA_PASSWORD}"}
"""

    def store(self, settings: KafkaOutputSettings) -> Store:
        return Store("parquet", stream=StreamTopic(settings.servers, settings.topic, settings.role or "", settings.client))


CAPABILITY = KafkaOutput()
