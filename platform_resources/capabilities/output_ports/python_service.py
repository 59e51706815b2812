"""The output port interface `python-service`."""

from pydantic import field_validator

from platform_resources.capabilities.protocols import Store
from platform_resources.spec.strict import Strict


class PythonServiceSettings(Strict):
    """Where the service answers."""

    url: str

    @field_validator("url")
    @classmethod
    def _is_of_the_web(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f'"{url}" is no address of the web; it is asked whether it answers, so write one with http:// or https://')
        return url


class PythonService:
    """A service that the product's team runs itself, such as predictions of a model: described, watched and listed here, and run elsewhere.

    Each evaluation asks the address whether it answers. An objective of the dimension `availability` promises within which time.
    """

    name = "python-service"
    kind = "service"
    config = PythonServiceSettings
    example = """
- name: customer_scores
  type: output-port
  properties: {interface: python-service, data_set: customers, url: "https://scores.example.com/health"}
"""

    def store(self, settings: PythonServiceSettings) -> Store:
        return Store("parquet", address=settings.url, is_elsewhere=True)


CAPABILITY = PythonService()
