"""History on the terminal, from the read side's REST."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from undertone.audio import to_ms
from undertone.commands.terminal import one_line, out
from undertone.errors import UndertoneError
from undertone.terminal import printable

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 15.0
PAGE = 500

Json: TypeAlias = Mapping[str, Any]
Url: TypeAlias = Annotated[str, typer.Option(help="Where Undertone's web is.", envvar="UNDERTONE_URL")]


class Form(StrEnum):
    """What a session is written out as."""

    SRT = "srt"
    VTT = "vtt"
    CSV = "csv"
    JSON = "json"


_STYLES = {"positive": "green", "negative": "red", "neutral": ""}


def sessions(
    url: Url = DEFAULT_URL, limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many at most.")] = 20
) -> None:
    """List sessions, the newest first."""
    page = _get(url, "/v1/sessions", limit=limit)
    windows = {window["session_id"]: window for window in page["windows"]}
    table = Table("session", "started", "length", "state", "said", "sentiment", "title", box=None)
    for session in page["sessions"]:
        window = windows.get(session["session_id"])
        table.add_row(
            session["session_id"],
            _when(session["started_at"] or session["created_at"]),
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
    session = _get(url, path, token=token)
    console = out()
    console.print(Text(one_line(session["title"] or session_id), style="bold"))
    started = _when(session["started_at"] or session["created_at"])
    console.print(f"{started}, {_clock(to_ms(session['through']))}, {session['state']}")
    table = Table("at", "language", "sentiment", "text", box=None)
    for utterance in _pages(url, f"{path}/utterances", "utterances", token):
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
    statistics = _get(url, f"{path}/statistics", token=token)
    console.print(Text(running_line(statistics["whole"])))
    if statistics["quarters"]:
        console.print(_quarters(statistics["quarters"]))
        console.print(Text(trend_line(statistics["trend"])))


def search(
    words: Annotated[list[str], typer.Argument(help='What was said: words, "a phrase", or how a word begins: refu*.')],
    url: Url = DEFAULT_URL,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many at most.")] = 20,
    language: Annotated[str | None, typer.Option(help="Only in this language: en, ko, …")] = None,
    sentiment: Annotated[str | None, typer.Option(help="Only positive, neutral or negative ones.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only in sessions with this tag.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Only in sessions from then on: 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Only in sessions before then.")] = None,
) -> None:
    """Find what was said, the newest first. All words must be there."""
    asked = " ".join(f'"{word}"' if " " in word else word for word in words)
    filters = {"language": language, "sentiment": sentiment, "tag": tag, "from": since, "to": until}
    page = _get(url, "/v1/search", q=asked, limit=limit, **filters)
    titles = {session["session_id"]: session["title"] for session in page["sessions"]}
    console = out()
    for hit in page["hits"]:
        utterance = hit["utterance"]
        name, score = utterance["session_id"], (utterance["sentiment"] or {}).get("score")
        console.print(
            Text(
                f"{name}  {_clock(utterance['start_ms'])}  {_score(score)}  {one_line(titles.get(name) or '')}".rstrip()
            )
        )
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
    with _asking("GET", url, path, format=form.value, suppressed=suppressed or None, token=token) as response:
        try:
            if output is None and sys.stdout.isatty():  # a file gets what it asked for, a terminal no commands
                for text in response.iter_text():
                    sys.stdout.write(printable(text))
                return
            with output.open("wb") if output else nullcontext(sys.stdout.buffer) as file:
                for piece in response.iter_bytes():
                    file.write(piece)
        except OSError as error:
            raise UndertoneError(f"{output or 'standard output'} cannot be written: {error}") from error


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


def _pages(url: str, path: str, items: str, token: str | None) -> Iterator[Json]:
    cursor = None
    while True:
        page = _get(url, path, token=token, limit=PAGE, cursor=cursor)
        yield from page[items]
        cursor = page["next"]
        if cursor is None:
            return


def _get(url: str, path: str, **parameters: object) -> Json:
    return ask("GET", url, path, **parameters)


def ask(method: str, url: str, path: str, **parameters: object) -> Json:
    """The JSON of an answer. Raises ``UndertoneError`` with the server's own words, or why it cannot be reached."""
    with _asking(method, url, path, **parameters) as response:
        return _body(url, response)


@contextmanager
def _asking(method: str, url: str, path: str, **parameters: object) -> Iterator["httpx.Response"]:
    """The answer, still to be read. Raises ``UndertoneError`` as ``_get``."""
    import httpx

    from undertone.commands.credentials import find_server
    from undertone.proxies import open_client
    from undertone.session_keys import credential_headers

    given = {name: str(value) for name, value in parameters.items() if value is not None}
    try:
        server = find_server(url, has_token="token" in given)
        address, shown = server.url.rstrip("/") + path, credential_headers(server.credential)
        with (
            open_client(address, timeout=TIMEOUT_S) as http,
            http.stream(method, address, params=given, headers=shown) as response,
        ):
            if response.is_error:
                raise _refused(url, response)
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndertoneError(
            f"{url} cannot be reached ({error}): start Undertone with `undertone up`, or name another with --url"
        ) from error


def _body(url: str, response: "httpx.Response") -> Json:
    try:
        body: Json = json.loads(response.read())
    except (ValueError, RecursionError) as error:
        raise UndertoneError(f"{url} does not answer as Undertone does: check --url") from error
    return body


def _refused(url: str, response: "httpx.Response") -> UndertoneError:
    body = _body(url, response)
    if body.get("code") in {"login_needed", "login_ended"}:
        return UndertoneError(
            f"{url} wants to know who asks: set UNDERTONE_HOME to its home, if it is on this machine and yours, "
            "or UNDERTONE_KEY to an API key with the right to read"
        )
    return UndertoneError(str(body.get("message", f"{url} answers with status {response.status_code}")))


def _when(timestamp: str) -> str:
    return f"{datetime.fromisoformat(timestamp).astimezone():%Y-%m-%d %H:%M}"


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:+.2f}"
