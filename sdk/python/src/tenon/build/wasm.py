"""Reading and writing parts of WebAssembly binaries; see the specifications of WebAssembly and of the component model (Binary.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CORE_PREAMBLE = b"\0asm\x01\x00\x00\x00"
COMPONENT_PREAMBLE = b"\0asm\x0d\x00\x01\x00"


class FormError(Exception):
    """Bytes in another form than this package knows."""


def leb(number: int) -> bytes:
    """An unsigned number in LEB128."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def leb_signed(number: int) -> bytes:
    """A number from 0 on in signed LEB128, as a type has where a simple type may stand, too."""
    out = bytearray()
    while number > 63:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value: str) -> bytes:
    """A name with its length."""
    content = value.encode()
    return leb(len(content)) + content


def vector(parts: Iterable[bytes]) -> bytes:
    """A list with its length."""
    items = list(parts)
    return leb(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    """A section with its head."""
    return bytes([number]) + leb(len(content)) + content


class Reader:
    """Reads bytes from a place on."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content = content
        self.at = at

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if self.at + length > len(self.content):
            raise FormError("the component ends early")
        self.at += length
        return self.content[self.at - length : self.at]

    def leb(self) -> int:
        """The next number in LEB128."""
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def text(self) -> str:
        """The next name."""
        return self.take(self.leb()).decode()


@dataclass(frozen=True)
class Section:
    """One section of a module or a component."""

    number: int
    content: bytes


def sections(binary: bytes) -> Iterator[Section]:
    """All sections of a module or a component, in their order."""
    reader = Reader(binary, len(CORE_PREAMBLE))
    while reader.at < len(binary):
        number = reader.byte()
        yield Section(number, reader.take(reader.leb()))


@dataclass(frozen=True)
class Signature:
    """The type of a core function: its value types as bytes."""

    parameters: bytes
    results: bytes


def imported_functions(module: bytes) -> Iterator[tuple[str, str, Signature]]:
    """The functions that a core module imports: module, name and type."""
    signatures: list[Signature] = []
    for part in sections(module):
        if part.number == 1:
            signatures = list(_signatures(Reader(part.content)))
        elif part.number == 2:
            yield from _imports(Reader(part.content), signatures)


def _signatures(reader: Reader) -> Iterator[Signature]:
    for _ in range(reader.leb()):
        if reader.byte() != 0x60:
            raise FormError("a core module has other types than functions")
        parameters = reader.take(reader.leb())
        yield Signature(parameters, reader.take(reader.leb()))


def _imports(reader: Reader, signatures: list[Signature]) -> Iterator[tuple[str, str, Signature]]:
    for _ in range(reader.leb()):
        module, name, kind = reader.text(), reader.text(), reader.byte()
        if kind == 0x00:
            yield module, name, signatures[reader.leb()]
        elif kind == 0x03:
            reader.take(2)
        elif kind == 0x04:
            reader.byte()
            reader.leb()
        else:
            if kind == 0x01:
                reader.byte()
            has_maximum = reader.byte() & 1
            for _ in range(1 + has_maximum):
                reader.leb()
