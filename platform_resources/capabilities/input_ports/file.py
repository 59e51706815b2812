"""The input port interface `file`."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from platform_resources.capabilities.protocols import PullFiles, ReaderOption
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnType, Duration

_ENDINGS: dict[str, FileFormat] = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}


def _format_of(path: str) -> FileFormat | None:
    plain = path.lower().removesuffix(".gz").removesuffix(".zst")
    return next((format for ending, format in _ENDINGS.items() if plain.endswith(ending)), None)


class ReaderOptions(Strict):
    """The promised types of columns, and whatever DuckDB's reader knows."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ReaderOption] = Field(init=False)

    types: dict[str, ColumnType] = {}


class FileInputSettings(Strict):
    """Which files, in which format, whether the set is a snapshot or grows, and when a file has arrived."""

    path: Annotated[str, Field(min_length=1)]
    format: FileFormat | None = None
    load: Literal["replace", "append"] = "replace"
    options: ReaderOptions = ReaderOptions()
    empty: Literal["not-arrived", "allowed"] = "not-arrived"
    quiet: Duration | None = None
    manifest: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _format_is_known(self) -> "FileInputSettings":
        if self.format is None and _format_of(self.path) is None:
            raise ValueError(f'the format of "{self.path}" cannot be told from its ending; add format: parquet, csv or json')
        return self

    @model_validator(mode="after")
    def _types_can_be_promised(self) -> "FileInputSettings":
        if self.options.types and self.chosen_format == "parquet":
            raise ValueError("options: {types: …} is for csv and json; Parquet files say their types themselves, so cast in the model")
        return self

    @model_validator(mode="after")
    def _objects_are_whole(self) -> "FileInputSettings":
        if self.path.startswith("s3://"):
            if self.manifest is not None:
                raise ValueError("manifest is for files on disk: an object is there whole or not at all; quiet waits for a set that grows")
            if not self.path.removeprefix("s3://").partition("/")[2] or any(sign in self.path.split("/")[2] for sign in "*?[@"):
                raise ValueError(f'"{self.path}" names no objects; write s3://BUCKET/folder/*.csv, with credentials in the environment')
        return self

    @model_validator(mode="after")
    def _manifest_is_one_file(self) -> "FileInputSettings":
        if self.manifest is not None and any(character in self.manifest for character in "*?["):
            raise ValueError(f'manifest: "{self.manifest}" is a glob; write a name, looked for beside each file, or one path')
        return self

    @property
    def chosen_format(self) -> FileFormat:
        """As written, else by the ending of the path, else Parquet."""
        return self.format or _format_of(self.path) or "parquet"


class FileInput:
    """Files by path or glob, on this machine or in S3-compatible storage; which files were loaded is recorded by their content."""

    name = "file"
    kind = "file"
    config = FileInputSettings
    example = """
- name: stock_counts
  type: input-port
  properties: {interface: file, path: landing/stock_*.csv, format: csv, load: append, quiet: 5m}
"""

    def pull(self, settings: FileInputSettings) -> PullFiles:
        return PullFiles(
            path=settings.path,
            format=settings.chosen_format,
            load=settings.load,
            options=dict(settings.options.model_extra or {}),
            types=settings.options.types,
            empty=settings.empty,
            quiet=settings.quiet,
            manifest=settings.manifest,
        )


CAPABILITY = FileInput()
