"""A session written out for other programs, piece by piece: subtitles (SRT, WebVTT), a table (CSV), or JSON. Pure."""

import csv
import html
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from dashboards.file_names import content_disposition
from dashboards.forms import viewer_json
from undertone.events import Session, Utterance

Format: TypeAlias = Literal["srt", "vtt", "csv", "json"]

MEDIA_TYPES: Mapping[Format, str] = {
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
}
COLUMNS = (
    *("utterance_id", "start_ms", "end_ms", "start", "end", "language", "text", "label", "score"),
    *("loudness_dbfs", "suppressed"),
)
_JOINER = "\u2060"  # is not seen, and keeps characters from being read together
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Pages: TypeAlias = AsyncIterator[Sequence[Utterance]]


def write(form: Format, session: Session, pages: Pages) -> AsyncIterator[str]:
    """The session in one form, in pieces of a page each. Subtitles leave out what has no text."""
    writers: Mapping[Format, Callable[[Session, Pages], AsyncIterator[str]]] = {
        "srt": _write_srt,
        "vtt": _write_vtt,
        "csv": _write_csv,
        "json": _write_json,
    }
    return writers[form](session, pages)


def disposition(session: Session, form: Format) -> str:
    """The header that names the file: by the id, and by the title where a program understands that."""
    return content_disposition(session.title or "", session.session_id, form)


async def _write_srt(_: Session, pages: Pages) -> AsyncIterator[str]:
    number = 0
    async for page in pages:
        cues = []
        for utterance in page:
            if text := _one_line(utterance.text):
                number += 1
                # players take <…> and {…} for marks, and the format has no way to write them
                for sign in ("<", "{", "--"):
                    text = text.replace(sign, sign + _JOINER)
                cues.append(f"{number}\n{_times(utterance, ',')}\n{text}\n\n")
        yield "".join(cues)


async def _write_vtt(_: Session, pages: Pages) -> AsyncIterator[str]:
    yield "WEBVTT\n\n"
    async for page in pages:
        yield "".join(
            f"{utterance.utterance_id}\n{_times(utterance, '.')}\n{html.escape(text, quote=False)}\n\n"
            for utterance in page
            if (text := _one_line(utterance.text))
        )


async def _write_csv(_: Session, pages: Pages) -> AsyncIterator[str]:
    yield "\ufeff" + _csv([COLUMNS])  # without the mark some spreadsheets take Korean for another encoding
    async for page in pages:
        yield _csv([_row(utterance) for utterance in page])


async def _write_json(session: Session, pages: Pages) -> AsyncIterator[str]:
    yield f'{{"session":{viewer_json(session)},"utterances":['
    between = "\n"
    async for page in pages:
        if page:
            yield between + ",\n".join(viewer_json(utterance) for utterance in page)
            between = ",\n"
    yield "\n]}\n"


def _row(utterance: Utterance) -> list[Any]:
    sentiment = utterance.sentiment
    return [
        utterance.utterance_id,
        utterance.start_ms,
        utterance.end_ms,
        _clock(utterance.start_ms, "."),
        _clock(utterance.end_ms, "."),
        utterance.language,
        _harmless(utterance.text),
        sentiment and sentiment.label,
        sentiment and sentiment.score,
        utterance.loudness_dbfs,
        utterance.quality.suppressed,
    ]


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _one_line(text: str) -> str:
    """The text without line breaks: an empty line would end the subtitle."""
    return " ".join(text.split())


def _times(utterance: Utterance, point: str) -> str:
    """From when to when it is shown: at least a millisecond, or the subtitle is not valid."""
    end_ms = max(utterance.end_ms, utterance.start_ms + 1)
    return f"{_clock(utterance.start_ms, point)} --> {_clock(end_ms, point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest_ms = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest_ms:03}"
