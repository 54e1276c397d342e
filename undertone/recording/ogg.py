"""Walks the pages of an Ogg file: where its chained streams begin, and whether it ends inside a page."""

from typing import BinaryIO

HEADER_BYTES = 27
_BEGINS = 2
_SEARCH_BYTES = 65_536


def find_links(file: BinaryIO, start: int, end: int) -> list[tuple[int, int]]:
    """First byte and end of each chained stream: a group of streams that begin together, up to the next one."""
    begins, was_beginning, at = [start], True, start
    while (page := _find_page(file, at, end)) is not None:
        at, page_end, is_beginning = page
        if is_beginning and not was_beginning:
            begins.append(at)
        was_beginning, at = is_beginning, page_end
    return list(zip(begins, [*begins[1:], end], strict=True))


def is_cut(file: BinaryIO, start: int, end: int) -> bool:
    """Whether the last page from ``start`` to ``end`` is longer than what there is of it."""
    from_byte = max(start, end - _SEARCH_BYTES)
    file.seek(from_byte)
    tail = file.read(end - from_byte)
    at = tail.rfind(b"OggS")
    if at < 0:
        return True
    page = tail[at:]
    if len(page) < HEADER_BYTES or len(page) < HEADER_BYTES + page[26]:
        return True
    return len(page) < HEADER_BYTES + page[26] + sum(page[HEADER_BYTES : HEADER_BYTES + page[26]])


def _find_page(file: BinaryIO, at: int, end: int) -> tuple[int, int, bool] | None:
    """Start and end of the next page from ``at`` on, and whether a stream begins with it."""
    while at < end:
        file.seek(at)
        head = file.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES:
            return None
        if head[:4] == b"OggS":
            lengths = file.read(head[26])
            return at, at + HEADER_BYTES + len(lengths) + sum(lengths), bool(head[5] & _BEGINS)
        file.seek(at + 1)
        found = file.read(_SEARCH_BYTES).find(b"OggS")
        at += 1 + found if found >= 0 else _SEARCH_BYTES - 3
    return None
