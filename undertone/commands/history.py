"""History on the terminal, from the read side's REST."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from undertone.audio import to_ms
from undertone.commands.terminal import out
from undertone.errors import UndertoneError

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 15.0
PAGE = 500

Json: TypeAlias = Mapping[str, Any]
Url: TypeAlias = Annotated[str, typer.Option(help="Where Undertone's web is.", envvar="UNDERTONE_URL")]

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
            Text(session["title"] or ""),
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
    console.print(Text(session["title"] or session_id, style="bold"))
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
            Text(utterance["text"]),
        )
    console.print(table)
    statistics = _get(url, f"{path}/statistics", token=token)
    console.print(Text(running_line(statistics["whole"])))
    if statistics["quarters"]:
        console.print(_quarters(statistics["quarters"]))
        console.print(Text(trend_line(statistics["trend"])))


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
    """The JSON of an answer. Raises ``UndertoneError`` with the server's own words, or why it cannot be reached."""
    import httpx

    from undertone.commands.credentials import credential_for
    from undertone.session_keys import credential_headers

    given = {name: str(value) for name, value in parameters.items() if value is not None}
    shown = credential_headers(credential_for(url))
    try:
        response = httpx.get(url.rstrip("/") + path, params=given, headers=shown, timeout=TIMEOUT_S)
        body: Json = response.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndertoneError(
            f"{url} cannot be reached ({error}): start Undertone with `undertone up`, or name another with --url"
        ) from error
    except ValueError as error:
        raise UndertoneError(f"{url} does not answer as Undertone does: check --url") from error
    if body.get("code") in {"login_needed", "login_ended"}:
        raise UndertoneError(
            f"{url} wants to know who asks: set UNDERTONE_HOME to its home, if it is on this machine and yours, "
            "or UNDERTONE_KEY to an API key with the right to read"
        )
    if response.is_error:
        raise UndertoneError(str(body.get("message", f"{url} answers with status {response.status_code}")))
    return body


def _when(timestamp: str) -> str:
    return f"{datetime.fromisoformat(timestamp).astimezone():%Y-%m-%d %H:%M}"


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:+.2f}"
