"""The input port interface `rest`."""

from typing import Any, Literal

from pydantic import field_validator, model_validator

from platform_resources.capabilities.protocols import PullRows
from platform_resources.capabilities.readers.rest_rows import RestRows
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.channel_urls import VARIABLE, url_problem, written_secrets
from platform_resources.spec.values.field_types import Text
from platform_resources.spec.values.written_values import plain_values


class RestSettings(Strict):
    """The address, where in an answer the records are, and how one page leads to the next."""

    url: Text
    pagination: Literal["none", "page-number", "offset", "cursor", "link-header", "next-link"]
    page_options: dict[str, Any] = {}
    records: str = ""
    params: dict[str, str | int | bool] = {}
    headers: dict[str, str] = {}
    token: str | None = None
    changed_by: Literal["etag", "last-modified"] | None = None

    @field_validator("url")
    @classmethod
    def _without_a_secret(cls, url: str) -> str:
        problem = url_problem(url)
        if problem is not None:
            raise ValueError(f"{problem[0]}; write one such as https://api.example.com/orders, with ${{NAME}} for what is secret")
        return url

    @model_validator(mode="after")
    def _no_secret_is_written(self) -> "RestSettings":
        written = [*written_secrets(self.headers), *written_secrets(self.params)]
        written += ["token"] if self.token is not None and not VARIABLE.fullmatch(self.token) else []
        if written:
            raise ValueError(f"{', '.join(written)} would be a secret that everybody reads; write ${{NAME}} and set it in the environment")
        return self


class RestInput:
    """Records of a REST interface, all of them at each refresh. Needs the extra `sources`."""

    name = "rest"
    kind = "rest"
    config = RestSettings
    example = """
- name: tickets
  type: input-port
  properties:
    interface: rest
    url: https://support.example.com/api/tickets
    token: ${SUPPORT_TOKEN}
    records: result.tickets
    pagination: next-link
    page_options: {next_url_path: result.next}
"""

    def pull(self, settings: RestSettings) -> PullRows:
        options = plain_values(settings.page_options)
        params = plain_values(settings.params)
        said = settings.records, settings.pagination, options, settings.changed_by
        rows = RestRows(settings.url, params, settings.headers, settings.token, *said)
        return PullRows(rows)


CAPABILITY = RestInput()
