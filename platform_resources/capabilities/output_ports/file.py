"""The output port interface `file`."""

from platform_resources.capabilities.protocols import Store
from platform_resources.capabilities.support.file_formats import FileFormat
from platform_resources.spec.strict import Strict


class FileOutputSettings(Strict):
    """The format of the files."""

    format: FileFormat = "parquet"


class FileOutput:
    """Files of one published version, complete and immutable, with an atomically replaced latest.json that names the newest."""

    name = "file"
    kind = "file"
    config = FileOutputSettings
    example = """
- name: customers_file
  type: output-port
  properties: {interface: file, format: parquet, data_set: customers, keep_versions: 7}
"""

    def store(self, settings: FileOutputSettings) -> Store:
        return Store(settings.format)


CAPABILITY = FileOutput()
