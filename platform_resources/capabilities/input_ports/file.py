"""The input port interface `file`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.protocols import PullFiles
from platform_resources.spec.strict import Strict

Format = Literal["parquet", "csv", "json"]
_ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}


def _format_of(path: str) -> Format | None:
    return next((format for ending, format in _ENDINGS.items() if path.lower().endswith(ending)), None)


class FileInputSettings(Strict):
    """Which files, in which format, and whether the set is a snapshot or grows."""

    path: Annotated[str, Field(min_length=1)]
    format: Literal["parquet", "csv", "json"] | None = None
    load: Literal["replace", "append"] = "replace"
    options: dict[str, str | bool] = {}

    @model_validator(mode="after")
    def _format_is_known(self) -> "FileInputSettings":
        if self.format is None and _format_of(self.path) is None:
            raise ValueError(f'the format of "{self.path}" cannot be told from its ending; add format: parquet, csv or json')
        return self


class FileInput:
    """Files by path or glob, beside the product or anywhere on the machine; which files were loaded is recorded."""

    name = "file"
    kind = "file"
    config = FileInputSettings
    example = """
- name: stock_counts
  type: input-port
  properties: {interface: file, path: landing/stock_*.csv, format: csv, load: append}
"""

    def pull(self, settings: FileInputSettings) -> PullFiles:
        chosen = settings.format or _format_of(settings.path) or "parquet"
        return PullFiles(settings.path, chosen, settings.load, settings.options)


CAPABILITY = FileInput()
