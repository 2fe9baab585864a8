"""Checksums of Ogg pages (RFC 3533, section 6)."""

__all__ = ["with_checksums"]

_HEAD_BYTES, _PLACE = 27, slice(22, 26)
_TABLE: list[int] = []
for _byte in range(256):
    _value = _byte << 24
    for _ in range(8):
        _value = (_value << 1 ^ (0x04C11DB7 if _value & 0x80000000 else 0)) & 0xFFFFFFFF
    _TABLE.append(_value)


def with_checksums(content: bytes) -> bytes:
    """Give a file with the right checksum in every page that is whole."""
    changed = bytearray(content)
    place = content.find(b"OggS")
    while place >= 0 and place + _HEAD_BYTES <= len(content):
        segments = content[place + 26]
        end = place + _HEAD_BYTES + segments + sum(content[place + 27 : place + 27 + segments])
        page = changed[place:end]
        page[_PLACE] = bytes(4)
        value = 0
        for byte in page:
            value = (value << 8 ^ _TABLE[value >> 24 ^ byte]) & 0xFFFFFFFF
        changed[place + 22 : place + 26] = value.to_bytes(4, "little")
        place = content.find(b"OggS", place + 4)
    return bytes(changed)
