"""Damage to files: bytes and text changed by a seeded generator, as disks, networks, editors and people do it."""

import re

import numpy as np

__all__ = ["mutate_bytes", "mutate_text"]

Rng = np.random.Generator
# Where headers lie, so that damage does not fall into samples and weights alone.
_HEADER_BYTES = (16, 64, 512)
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, (1 << 64) - 1)
_MOST_REPEATED = 1 << 16
_VALUES = (
    *("0", "1", "-1", "2", "0.5", "1e400", "1e9", "2147483648", "99999999999999999999", "-0.0", ".nan", ".inf", "nan"),
    *("NaN", "Infinity", "null", "~", "true", "false", "no", "''", '""', '"', "'", "[]", "{}", "[1, [2, {a: b}]]"),
    *("{kind: mel}", "!!python/object:os.system {}", "!!binary AAAA", "&a [*a]", "*a", "2026-02-30", "0x10", "0o7"),
    *("1_000", "12:30:45", "\0", "\u2028", "é", "日本", "\ufeff", "%s", "../../x", "/dev/null", ".", "", " ", "\t"),
    *("{" * 40, "[" * 3000, "a" * 5000, ": : :", "- - -", "? ", "|", ">", "%YAML 9.9", "---", "...", "\\", "\\u0000"),
    *(
        "\\ud800",
        "a\\b\\c.wav",
        "C:\\clips\\a.wav",
        "train",
        "test",
        "_background_noise_",
        "-5",
        "1e-320",
        "\r",
        "\x1b[31m",
    ),
)
_SIGNS = "{}[]:,;-#&*!|>'\"%@`\\\t\n \r\0aZ0.é\u2028\ufeff\U0001f600\x85\x1b"
_WORD = re.compile(r"[\w.+-]+|'[^'\n]*'|\"[^\"\n]*\"")


def mutate_bytes(content: bytes, rng: Rng, *, others: tuple[bytes, ...]) -> bytes:
    """Damage a file in one place, or a few; `others` are whole files of its kind, whose fields may be put into it."""
    for _ in range(int(rng.geometric(0.5))):
        edit = _BYTE_EDITS[rng.integers(len(_BYTE_EDITS))]
        content = edit(content, _place(len(content), rng), rng, others[rng.integers(len(others))])
    return content


def mutate_text(text: str, rng: Rng, *, others: tuple[str, ...]) -> str:
    """Damage a text in one place, or a few: its lines, its fields, its characters."""
    for _ in range(int(rng.geometric(0.5))):
        edit = _TEXT_EDITS[rng.integers(len(_TEXT_EDITS))]
        text = edit(text, rng, others[rng.integers(len(others))])
    return text


def _place(size: int, rng: Rng) -> int:
    """Any place, and as often one near the beginning."""
    header = int(rng.choice(_HEADER_BYTES))
    return int(rng.integers(0, max(1, min(size, header) if rng.random() < 0.6 else size)))


def _flip_bits(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.geometric(0.4))):
        if place < len(changed):
            changed[place] ^= 1 << int(rng.integers(8))
        place += int(rng.integers(1, 9))
    return bytes(changed)


def _set_bytes(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    new = rng.integers(0, 256, int(rng.integers(1, 9)), dtype=np.uint8).tobytes()
    return content[:place] + new + content[place + len(new) :]


def _set_number(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    size = int(rng.choice((1, 2, 4, 8)))
    value = int(rng.choice(np.array(_EDGES, np.uint64))) + int(rng.integers(-1, 2))
    new = (value % (1 << 8 * size)).to_bytes(size, "little" if rng.random() < 0.5 else "big")
    return content[:place] + new + content[place + size :]


def _cut_end(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    return content[:place] if rng.random() < 0.5 else content[: -int(rng.integers(1, 64))]


def _cut_beginning(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    return content[int(rng.integers(1, 64)) :]


def _remove(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    return content[:place] + content[place + _length(rng) :]


def _repeat(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    end = place + _length(rng)
    times = int(rng.geometric(0.3))
    return content[:end] + (content[place:end] * times)[:_MOST_REPEATED] + content[end:]


def _insert(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    return content[:place] + rng.bytes(int(rng.integers(1, 64))) + content[place:]


def _blank(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    new = bytes([int(rng.choice((0, 0xFF)))]) * _length(rng)
    return content[:place] + new + content[place + len(new) :]


def _splice_field(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    """Take some bytes of another file of the kind, from the same place or from any."""
    there = place if rng.random() < 0.5 else _place(len(other), rng)
    new = other[there : there + _length(rng)]
    return content[:place] + new + content[place + len(new) :]


def _splice_rest(content: bytes, place: int, rng: Rng, other: bytes) -> bytes:
    return content[:place] + other[place:]


def _length(rng: Rng) -> int:
    return int(rng.choice((2, 4, 8, 16, int(rng.integers(1, 2048)))))


_BYTE_EDITS = (
    *(_flip_bits, _flip_bits, _set_bytes, _set_bytes, _set_number, _set_number, _set_number, _cut_end, _cut_beginning),
    *(_remove, _repeat, _insert, _blank, _splice_field, _splice_field, _splice_rest),
)


def _change_line(text: str, rng: Rng, other: str) -> str:
    """Drop a line, write it twice, indent it anew, cut it, swap it with another, or take one of another text."""
    lines = text.split("\n")
    at, there = int(rng.integers(len(lines))), int(rng.integers(len(lines)))
    strange = other.split("\n")
    line = lines[at]
    new = (
        *([], [line, line], ["  " + line], [line.lstrip()], [line[: int(rng.integers(len(line) + 1))]], [lines[there]]),
        *([line, strange[rng.integers(len(strange))]], ["\t" + line], [line + "\r"], [line.replace(":", "")]),
    )
    return "\n".join(lines[:at] + new[rng.integers(len(new))] + lines[at + 1 :])


def _change_field(text: str, rng: Rng, other: str) -> str:
    """Put another value in the place of a word or a number."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = words[rng.integers(len(words))]
    strange = _WORD.findall(other) or [""]
    new = str(rng.choice(_VALUES)) if rng.random() < 0.8 else strange[rng.integers(len(strange))]
    return text[: word.start()] + new + text[word.end() :]


def _change_number(text: str, rng: Rng, other: str) -> str:
    """Make a number far greater, smaller, negative, or no number."""
    numbers = list(re.finditer(r"\d+(?:\.\d+)?", text))
    if not numbers:
        return text
    number = numbers[rng.integers(len(numbers))]
    factor = rng.choice((-1, 0, 1e-9, 0.1, 3, 10, 1000, 1e6, 1e12))
    new = f"{float(number[0]) * factor:.12g}"
    return text[: number.start()] + new + text[number.end() :]


def _change_signs(text: str, rng: Rng, other: str) -> str:
    """Remove, insert or exchange some characters."""
    at = int(rng.integers(len(text) + 1))
    new = "".join(
        rng.choice(list("{}[]:,;-#&*!|>'\"%@`\\\t\n \r\0aZ0.é\u2028\ufeff\U0001f600\x85\x1b"), rng.integers(0, 4))
    )
    return text[:at] + new + text[at + int(rng.integers(0, 4)) :]


def _cut_text(text: str, rng: Rng, other: str) -> str:
    at = int(rng.integers(len(text) + 1))
    return text[:at] if rng.random() < 0.7 else text[at:]


_TEXT_EDITS = (
    *(_change_line, _change_line, _change_field, _change_field, _change_field, _change_number, _change_number),
    *(_change_signs, _change_signs, _cut_text),
)
