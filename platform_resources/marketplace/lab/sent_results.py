"""Send a temporary result file in chunks, and close it."""

import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from fastapi.responses import StreamingResponse

from platform_resources.warehouses.written_results import ResultForm

CHUNK = 1024 * 1024
MEDIA: Mapping[ResultForm, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def sent_file(file: BinaryIO, form: ResultForm, headers: Mapping[str, str]) -> StreamingResponse:
    """Send the whole file with its length, so that clients notice an interrupted transfer."""
    sent = {"cache-control": "private, no-store", "content-length": str(os.fstat(file.fileno()).st_size), **headers}
    return StreamingResponse(_parts(file), headers=sent, media_type=MEDIA[form])


def _parts(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while part := file.read(CHUNK):
            yield part
