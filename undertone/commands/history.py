"""History on the terminal, from the read side's REST."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from undertone.audio import to_ms
from undertone.commands.local_time import show_time, utc_bound
from undertone.commands.rest import DEFAULT_URL, PAGE, Json, Url, asking, get, pages, understanding
from undertone.commands.terminal import one_line, out
from undertone.errors import UndertoneError
from undertone.http_answers import describe_stranger
from undertone.normal_form import normalize
from undertone.terminal import printable

if TYPE_CHECKING:
    import httpx

SPOOLED_BYTES = 4_000_000


class Form(StrEnum):
    """What a session is written out as."""

    SRT = "srt"
    VTT = "vtt"
    CSV = "csv"
    JSON = "json"


_MEDIA_TYPES = {
    Form.SRT: "application/x-subrip",
    Form.VTT: "text/vtt",
    Form.CSV: "text/csv",
    Form.JSON: "application/json",
}
_STYLES = {"positive": "green", "negative": "red", "neutral": ""}


def sessions(
    url: Url = DEFAULT_URL, limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many at most.")] = 20
) -> None:
    """List sessions, the newest first."""
    with understanding(url):
        page = get(url, "/v1/sessions", limit=limit)
        windows = {window["session_id"]: window for window in page["windows"]}
        table = Table("session", "started", "length", "state", "said", "sentiment", "title", box=None)
        for session in page["sessions"]:
            window = windows.get(session["session_id"])
            table.add_row(
                session["session_id"],
                show_time(session["started_at"] or session["created_at"]),
                _clock(to_ms(session["through"])),
                session["state"],
                str(session["utterances"]),
                "" if window is None else _score(window["score"]),
                Text(one_line(session["title"] or "")),
            )
    out().print(table)


def show(
    session_id: Annotated[str, typer.Argument(help="The session's id, as `undertone sessions` shows it.")],
    url: Url = DEFAULT_URL,
    token: Annotated[str | None, typer.Option(help="A token of the session, where one is needed.")] = None,
) -> None:
    """Show what was said in a session, and how it felt."""
    path = f"/v1/sessions/{session_id}"
    with understanding(url):
        session = get(url, path, token=token)
        console = out()
        console.print(Text(one_line(session["title"] or session_id), style="bold"))
        started = show_time(session["started_at"] or session["created_at"])
        console.print(f"{started}, {_clock(to_ms(session['through']))}, {session['state']}")
        table = Table("at", "language", "sentiment", "text", box=None)
        for utterance in pages(url, f"{path}/utterances", "utterances", token):
            if utterance["quality"]["suppressed"]:
                continue
            sentiment = utterance["sentiment"]
            label = sentiment["label"] if sentiment else ""
            feeling = f"{label} {_score(sentiment['score'])}" if sentiment else "-"
            table.add_row(
                _clock(utterance["start_ms"]),
                utterance["language"] or "",
                Text(feeling, style=_STYLES.get(label, "")),
                Text(one_line(utterance["text"])),
            )
        console.print(table)
        statistics = get(url, f"{path}/statistics", token=token)
        console.print(Text(running_line(statistics["whole"])))
        if statistics["quarters"]:
            console.print(_quarters(statistics["quarters"]))
            console.print(Text(trend_line(statistics["trend"])))


def search(
    words: Annotated[list[str], typer.Argument(help='What was said: words, "a phrase", or how a word begins: refu*.')],
    url: Url = DEFAULT_URL,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many at most.")] = 20,
    language: Annotated[str | None, typer.Option(help="Only in this language: en, ko-KR, …")] = None,
    sentiment: Annotated[str | None, typer.Option(help="Only positive, neutral or negative ones.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only in sessions with this tag.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only in sessions from then on, local time: 2026-01-31.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Only in sessions before then, local time.")] = None,
) -> None:
    """Find what was said, the newest first. All words must be there."""
    asked = normalize(" ".join(f'"{word}"' if " " in word else word for word in words))
    times = {"from": utc_bound("--from", since), "to": utc_bound("--to", until)}
    filters = {"language": language, "sentiment": sentiment, "tag": tag and normalize(tag), **times}
    with understanding(url):
        page = get(url, "/v1/search", q=asked, limit=limit, **filters)
        titles = {session["session_id"]: session["title"] for session in page["sessions"]}
        console = out()
        for hit in page["hits"]:
            utterance = hit["utterance"]
            name, score = utterance["session_id"], (utterance["sentiment"] or {}).get("score")
            title = one_line(titles.get(name) or "")
            console.print(Text(f"{name}  {_clock(utterance['start_ms'])}  {_score(score)}  {title}".rstrip()))
            parts = [(printable(part["text"]), "bold underline" if part["match"] else "") for part in hit["parts"]]
            console.print(Text.assemble("  ", *parts))
        if page["next"]:
            console.print(Text(f"There are more: give a --limit above {limit}, or more words.", style="dim"))
        elif not page["hits"]:
            console.print(Text("Nothing was found.", style="dim"))


def export(
    session_id: Annotated[str, typer.Argument(help="The session's id, as `undertone sessions` shows it.")],
    form: Annotated[Form, typer.Option("--format", help="Subtitles (srt, vtt), a table (csv), or json.")],
    url: Url = DEFAULT_URL,
    output: Annotated[Path | None, typer.Option(help="A file to write; else to standard output.")] = None,
    suppressed: Annotated[bool, typer.Option("--suppressed", help="Also what the transcriber refused.")] = False,
    token: Annotated[str | None, typer.Option(help="A token of the session, where one is needed.")] = None,
) -> None:
    """Write a session out, as subtitles, a table or JSON."""
    path = f"/v1/sessions/{session_id}/export"
    parameters = {"format": form.value, "suppressed": suppressed or None, "token": token}
    with asking("GET", url, path, _MEDIA_TYPES[form], **parameters) as response:
        if "attachment" not in response.headers.get("content-disposition", ""):
            raise UndertoneError(describe_stranger(url, response))
        if output is not None:
            _save(response, output)
        elif sys.stdout is None:
            raise UndertoneError("standard output is closed: name a file with --output")
        elif sys.stdout.isatty():  # a file gets what it asked for, a terminal no commands
            for text in response.iter_text():
                sys.stdout.write(printable(text))
        else:
            for piece in response.iter_bytes():
                sys.stdout.buffer.write(piece)


def _save(response: "httpx.Response", output: Path) -> None:
    """Write the body to a file, once all of it is here: an answer that is cut off leaves the file as it was."""
    with SpooledTemporaryFile(SPOOLED_BYTES) as kept:
        for piece in response.iter_bytes():
            kept.write(piece)
        kept.seek(0)
        try:
            with output.open("wb") as file:
                copyfileobj(kept, file)
        except OSError as error:
            raise UndertoneError(f"{output} cannot be written: {error}") from error


def running_line(window: Json) -> str:
    """The line of statistics, as in ``Positive: 12 (60 %) / Neutral: 3 (15 %) / Negative: 5 (25 %)``.

    Halves are rounded up, as on the pages.
    """
    counts = {label: int(window[label]) for label in ("positive", "neutral", "negative")}
    scored = sum(counts.values())
    shares = {label: (200 * count + scored) // (2 * scored) if scored else 0 for label, count in counts.items()}
    return " / ".join(f"{label.capitalize()}: {count} ({shares[label]} %)" for label, count in counts.items())


def trend_line(trend: float | None) -> str:
    """The trend as a line, or why there is none."""
    if trend is None:
        return "Trend: none, since the first or the last quarter has nothing that was judged"
    return f"Trend: {_score(trend)}, the score of the last quarter less that of the first"


def _quarters(quarters: Iterable[Json]) -> Table:
    table = Table("quarter", "from", "to", "talk", "score", "positive", "neutral", "negative", box=None)
    for number, quarter in enumerate(quarters, 1):
        start_ms = quarter["start_ms"]
        table.add_row(
            str(number),
            *map(_clock, (start_ms, start_ms + quarter["size_ms"], quarter["talk_ms"])),
            _score(quarter["score"]) or "-",
            *(str(quarter[label]) for label in ("positive", "neutral", "negative")),
        )
    return table


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:+.2f}"
