"""The metadata of an ONNX file, read and changed in its bytes, without the package `onnx`.

A model is a protocol buffer (https://protobuf.dev/programming-guides/encoding/): field after field, each with a number,
a kind and, where it is text or a part, a length. `metadata_props` is field 14, an entry each, of key (1) and value (2);
see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from collections.abc import Iterator, Mapping

__all__ = ["read_metadata", "with_metadata"]

_METADATA, _KEY, _VALUE = 14, 1, 2
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def read_metadata(model: bytes) -> dict[str, str]:
    """Give the metadata of an ONNX file.

    Raises:
        ValueError: it is none.
    """
    return dict(_entry(content) for number, _, content in _fields(model) if number == _METADATA)


def with_metadata(model: bytes, changes: Mapping[str, str]) -> bytes:
    """Give the same ONNX file with some of its metadata changed, or added; all other bytes stay.

    Raises:
        ValueError: it is none.
    """
    kept = (
        whole for number, whole, content in _fields(model) if number != _METADATA or _entry(content)[0] not in changes
    )
    added = (_part(_METADATA, _text(_KEY, key) + _text(_VALUE, value)) for key, value in changes.items())
    return b"".join((*kept, *added))


def _entry(content: bytes) -> tuple[str, str]:
    texts = {number: text.decode() for number, _, text in _fields(content)}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the number of each field, all its bytes, and what is in it."""
    place = 0
    while place < len(message):
        begin = place
        tag, place = _read_varint(message, place)
        kind = tag & 7
        if kind == _LENGTH:
            length, place = _read_varint(message, place)
        elif kind == _VARINT:
            length = _read_varint(message, place)[1] - place
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError("no ONNX model")
        end = place + length
        if end > len(message):
            raise ValueError("an ONNX model that is cut short")
        yield tag >> 3, message[begin:end], message[place:end]
        place = end


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first; gives where it ends, too."""
    value = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    raise ValueError("no ONNX model, or one that is cut short")


def _part(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _part(number, text.encode())


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
