"""Decoding of files: Unicode by byte-order marks, otherwise the encoding with the most plausible text."""

import codecs
import re

import charset_normalizer

from forecastkit.utils.validation import refuse

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "cp1253", "gb18030", "cp932", "euc_jp", "euc_kr", "big5"]
#: Leading bytes of common characters in Chinese, Japanese and Korean encodings.
_COMMON = {
    "gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "euc_kr": (0xB0, 0xC8), "euc_jp": (0xA4, 0xCF), "cp932": (0x82, 0x97)
}  # fmt: skip
_ENOUGH = 20_000  # bytes from which statistics of letters tell encodings apart
_SIGNS = "°²³µ€£§±–—‘’“”«»ºª·×½¼¾¹¿¡"
_WESTERN = re.compile(r"[À-ÖØ-öø-ÿŒœŠšŽžŸ]")
_WORD = re.compile(r"[^\W\d_]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
#: Letters of Czech, Polish, Hungarian and others at positions where cp1252 has symbols that do not occur in words.
_CENTRAL = re.compile(r"[^\W\d_][³¹¿¥£¼¾ºª]|[³¹¿¥£¼¾][^\W\d_]")


def find_encoding(where: str, head: bytes) -> str:
    """Return the encoding of the first bytes of a file, which are cut at the end of a line if the file is longer.

    Raises
    ------
    InputError
        If they are not text.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if encoding := _wide(head):
        return encoding
    try:
        text, encoding = head.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        encoding = _likeliest(head)
        text = head.decode(encoding, errors="replace")
    if _CONTROL.search(text) or not _plausible(text, encoding):
        refuse(where, "the file must be UTF-8 text (csv) or be called .parquet", "binary data", "Save it as UTF-8.")
    return encoding


def _wide(head: bytes) -> str:
    """Return UTF-16 without a mark if every second byte of plain characters is zero."""
    if len(head) < 4:
        return ""
    even, odd = (head[start::2].count(0) / (len(head) / 2) for start in (0, 1))
    return "utf-16-le" if odd > 0.4 and not even else "utf-16-be" if even > 0.4 and not odd else ""


def _likeliest(head: bytes) -> str:
    """Return a legacy encoding, determined from the lines that are not ASCII."""
    telling = b"\n".join(line for line in head.split(b"\n") if not line.isascii())
    if _has_western_words(telling):
        return _western(head)
    found = charset_normalizer.from_bytes(telling * (1 + _ENOUGH // len(telling)), cp_isolation=_CANDIDATES).best()
    if found is None or found.encoding in ("cp1250", "cp1252"):
        return _western(head)
    if found.encoding not in _COMMON:
        return found.encoding
    return max([found.encoding, *_COMMON], key=lambda encoding: _commonness(telling, encoding))


def _commonness(telling: bytes, encoding: str) -> float:
    """Return the fraction of common characters among the non-ASCII ones."""
    try:
        special = {char for char in telling.decode(encoding) if not char.isascii()}
    except UnicodeDecodeError:
        return -1.0
    low, high = _COMMON[encoding]
    return sum(low <= char.encode(encoding)[0] <= high for char in special) / max(len(special), 1)


def _has_western_words(telling: bytes) -> bool:
    """Return whether non-ASCII letters are one or two in a word of other letters, as in ``Währung``, or only symbols.

    In Cyrillic and Greek all letters of a word are non-ASCII, and Chinese, Japanese and Korean characters are two such
    bytes each.
    """
    text = telling.decode("cp1252", errors="replace")
    special = {char for char in text if not char.isascii()}
    if not all(_WESTERN.match(char) or char in _SIGNS for char in special):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = [word for word in words if sum(char.isascii() for char in word) >= len(word) / 2]
    return len(mixed) > 0.7 * len(words) if words else True


def _western(head: bytes) -> str:
    """Return cp1252, or cp1250 if its letters form words that cp1252 cannot have."""
    try:
        text = head.decode("cp1252")
    except UnicodeDecodeError:
        return "cp1250"
    slavic = set("šž") & set(text.lower()) and set("øèìù") & set(text.lower())
    return "cp1250" if slavic or _CENTRAL.search(text) else "cp1252"


def _plausible(text: str, encoding: str) -> bool:
    """Return whether decoded text has letters and units among plain cells."""
    if encoding.startswith("utf"):
        return True
    special = [char for char in text if not char.isascii()]
    if any("\ue000" <= char <= "\uf8ff" or char == "\ufffd" for char in special):
        return False
    if not encoding.startswith("cp125") or encoding in ("cp1251", "cp1253"):
        return True
    return all(char.isalpha() or char in _SIGNS for char in special) and len(special) < 0.25 * len(text)
