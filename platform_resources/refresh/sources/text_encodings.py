"""Write files of an encoding that the database does not read anew in UTF-8, for as long as they are loaded."""

import codecs
import gzip
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from platform_resources.capabilities.protocols import PullFiles
from platform_resources.deliveries.arrivals import InputFile, input_file
from platform_resources.warehouses.engine_errors import LoadFailed

# What the database's reader of CSV knows; that of JSON knows none.
_READ_AS_THEY_ARE = ("utf-8", "utf-16", "latin-1")
_AT_ONCE = 2**20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5"


def in_utf8(files: Iterable[InputFile], pull: PullFiles, scratch: ExitStack) -> tuple[list[InputFile], PullFiles]:
    """The files as they can be loaded, and how; copies last as long as `scratch`. Raises LoadFailed, with the line that cannot be read."""
    said = pull.options.get("encoding")
    if said is None or pull.format == "parquet" or (pull.format == "csv" and str(said).lower() in _READ_AS_THEY_ARE):
        return list(files), pull
    folder = Path(scratch.enter_context(TemporaryDirectory(prefix="mesh_utf8_")))
    copies = [_copied(file, str(said), folder / str(number)) for number, file in enumerate(files)]
    return copies, replace(pull, options={name: value for name, value in pull.options.items() if name != "encoding"})


def _copied(file: InputFile, encoding: str, place: Path) -> InputFile:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        "".encode(encoding)  # a codec of bytes, such as base64, refuses it
    except LookupError:
        message = f'options names the encoding "{encoding}", which is none; write one such as "cp1252", "iso-8859-15" or "utf-8"'
        raise LoadFailed(f"{file.name}: {message}") from None
    with file.path.open("rb") as stream:
        begins = stream.read(2)
    if begins == _ZSTD:
        raise LoadFailed(f"{file.name}: a file that zstd has packed is read in {', '.join(_READ_AS_THEY_ARE)} alone; pack it by gzip")
    line = 1
    with _opened(file, begins == _GZIP) as stream, place.open("w", encoding="utf-8", newline="") as copy:
        try:
            for part in iter(partial(stream.read, _AT_ONCE), b""):
                text = decoder.decode(part)
                line += text.count("\n")
                copy.write(text)
            copy.write(decoder.decode(b"", final=True))
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding, "ignore").count("\n")
            byte = f"the byte {error.object[error.start]:#04x}"
            raise LoadFailed(f"{file.name}, line {line}: it is not written in {encoding}, in which {byte} is no character") from error
        except EOFError as error:
            raise LoadFailed(f"{file.name}: {error}") from error
    # As of an object, its name is what rows may be told of where they come from.
    return replace(input_file(place, file.name), tag=file.tag or encoding)


def _opened(file: InputFile, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file.path, "rb")) if packed else file.path.open("rb")
