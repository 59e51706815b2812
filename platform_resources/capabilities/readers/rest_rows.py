"""Records of a REST interface, page by page; every value as it is written there."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platform_resources.capabilities.protocols import Extracted, Extraction
from platform_resources.capabilities.readers.source_addresses import SourceUnread, filled, library
from platform_resources.capabilities.readers.told_columns import ToldColumns
from platform_resources.capabilities.support.sql_text import literal

# How a word of product.yaml is called by dlt.
PAGINATORS = {
    "none": "single_page",
    "page-number": "page_number",
    "offset": "offset",
    "cursor": "cursor",
    "link-header": "header_link",
    "next-link": "json_link",
}
_TABLE = "mesh_records"
# Of a file of records DuckDB takes at once twice the memory of the largest record that it is told of.
_USUAL_RECORD = 2**24
_PATIENCE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class RestRows:
    """Which address, how its pages follow each other, and where in an answer the records are; empty if the answer is their list.

    `changed_by` names the header of an answer that is another one when there is something new.
    """

    url: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    token: str | None
    records: str
    pagination: str
    page_options: Mapping[str, Any]
    changed_by: str | None = None

    @property
    def untold(self) -> str:
        """Only a header of its answers says so without all records being read."""
        return "" if self.changed_by else "it has no changed_by: write etag or last-modified, if its answers have that header"

    def mark(self) -> str:
        """The header of the first answer. The body is not read."""
        requests = library("requests")
        headers = {name: filled(value) for name, value in self.headers.items()}
        headers |= {"Authorization": f"Bearer {filled(self.token)}"} if self.token else {}
        address, header = filled(self.url), str(self.changed_by)
        with requests.Session() as session:
            _keep_to(address, session)
            with session.get(address, params=self._params, headers=headers, timeout=_PATIENCE_SECONDS, stream=True) as answer:
                answer.raise_for_status()
                if header not in answer.headers:
                    raise SourceUnread(f"an answer of {self.url} has no header {header} (changed_by)")
                return str(answer.headers[header])

    @property
    def _params(self) -> dict[str, Any]:
        return {name: filled(value) if isinstance(value, str) else value for name, value in self.params.items()}

    def read(self, extraction: Extraction) -> Extracted:
        """All records, one row each: numbers, words and yes or no as such, lists and objects as JSON. Repeated requests double none."""
        columns, largest = ToldColumns(), _USUAL_RECORD
        with tempfile.TemporaryDirectory(prefix="mesh_") as folder:
            file = Path(folder) / "records.jsonl"
            json = library("simplejson")
            with file.open("w", encoding="utf-8") as lines:
                for record in self._all(json):
                    largest = max(largest, lines.write(json.dumps(columns.texts(record, json)) + "\n"))
            if not columns.kinds:
                raise SourceUnread(f"{self.url} has no records, so it counts as not arrived")
            extraction.connection.execute(
                f"create or replace temp table {_TABLE} as {_typed(columns, file, extraction.promised, largest)}"
            ).fetchall()
        return Extracted(extraction.connection.table(_TABLE), {"read": columns.rows})

    def first_answer(self) -> tuple[Any, bool]:
        """What the address answers before any other page is asked for, and whether its headers link to a next one."""
        response = next(self._answers("single_page"))
        return library("simplejson").loads(response.content, use_decimal=True), "next" in response.links

    def _all(self, json: Any) -> Iterator[Mapping[str, Any]]:
        for response in self._answers(PAGINATORS[self.pagination]):
            # JSON is UTF-8; the text of the response is what its headers make of it.
            yield from self._of_page(json.loads(response.content, use_decimal=True))

    def _answers(self, paginator: str) -> Iterator[Any]:
        client = library("dlt.sources.helpers.rest_client")
        pages = library("dlt.sources.rest_api.config_setup").create_paginator({"type": paginator, **self.page_options})
        auth = library("dlt.sources.helpers.rest_client.auth").BearerTokenAuth(token=filled(self.token)) if self.token else None
        headers = {name: filled(value) for name, value in self.headers.items()}
        rest = client.RESTClient(base_url=filled(self.url), headers=headers, auth=auth)
        _keep_to(filled(self.url), rest.session)
        with closing(rest.session):
            try:
                for page in rest.paginate("", params=self._params, paginator=pages, data_selector=self.records or "$"):
                    yield page.response
            except library("requests").exceptions.InvalidSchema:
                raise SourceUnread(
                    f"an answer of {self.url} leads to another server, which would get its token and headers; name that one as url"
                ) from None

    def _of_page(self, answer: Any) -> list[Mapping[str, Any]]:
        """The records of one answer. One that is not built as it was said is an error: it would look as if there were no more."""
        for name in self.records.split(".") if self.records else ():
            if not isinstance(answer, Mapping) or name not in answer:
                raise SourceUnread(f"an answer of {self.url} has no {self.records} (records)")
            answer = answer[name]
        if not isinstance(answer, list) or not all(isinstance(record, Mapping) for record in answer):
            raise SourceUnread(f"{self.records or 'an answer'} of {self.url} is no list of objects; say with records where the list is")
        return answer


def _keep_to(address: str, session: Any) -> None:
    """Leave the session no way but to the server of this address: a redirect or the link to a next page would take secrets elsewhere."""
    parts = urlsplit(address)
    adapter = session.get_adapter(address)
    session.adapters.clear()
    for place in {parts.netloc, parts.netloc.rpartition("@")[2]}:
        session.mount(f"{parts.scheme}://{place}/", adapter)


def _typed(columns: ToldColumns, file: Path, promised: Mapping[str, str], largest: int) -> str:
    """The rows of the file, which has texts alone and no row of more bytes than `largest`, with the types of the columns."""
    texts = ", ".join(f"{literal(name)}: 'varchar'" for name in columns.kinds)
    options = f"format = 'newline_delimited', columns = {{{texts}}}, maximum_object_size = {largest}"
    return f"select {columns.casts(promised)} from read_json({literal(str(file))}, {options})"
