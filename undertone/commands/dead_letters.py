"""``undertone dead-letters``: look at the records that were put aside, write them back, or be done with them."""

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from undertone.commands.local_time import show_time
from undertone.commands.terminal import echo, one_line, out
from undertone.terminal import printable

if TYPE_CHECKING:
    from undertone.commands.letters import Choice, Kept
    from undertone.letters import Letter
    from undertone.settings import Settings

letter_commands = typer.Typer(help="Records that could not be processed.", no_args_is_help=True)

SHOWN_BYTES = 4096

Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[LETTER]...", help="Ids (or their beginnings), or places (topic-0@17).")
]
App: TypeAlias = Annotated[str | None, typer.Option(help="Only those that this app put aside.")]
Topic: TypeAlias = Annotated[str | None, typer.Option(help="Only those from this topic.")]
Error: TypeAlias = Annotated[str | None, typer.Option(help="Only those whose reason has this text.")]
Everything: TypeAlias = Annotated[bool, typer.Option("--all", help="All there are.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@letter_commands.command("list")
def list_letters(
    app: App = None,
    topic: Topic = None,
    error: Error = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest.")] = 100,
) -> None:
    """Show the records that were put aside, and why."""
    from rich.markup import escape
    from rich.table import Table

    from undertone.commands.letters import Choice, read_letters

    found = Choice((), app, topic, error, everything=True).of(asyncio.run(read_letters(_settings())))
    table = Table("letter", "at", "app", "from", "key", "bytes", "done", "why", box=None)
    for kept in found[-limit:]:
        letter = kept.letter
        key, size = one_line((letter.key or b"").decode(errors="replace")), str(len(letter.value or b""))
        reason = escape(one_line(kept.reason))
        at = show_time(letter.why.at)
        table.add_row(letter.id, at, letter.why.app, letter.place, escape(key), size, kept.done or "", reason)
    out().print(table)
    typer.echo(f"{len(found)} dead letters")


@letter_commands.command("show")
def show_letter(
    name: Annotated[str, typer.Argument(metavar="LETTER", help="An id (or its beginning), or a place.")],
) -> None:
    """Show one of them: where from, why, its headers and its bytes."""
    from undertone.commands.letters import Choice, read_letters
    from undertone.errors import FatalError

    (kept,) = Choice((name,)).of(asyncio.run(read_letters(_settings())))
    if kept.is_deleted:
        raise FatalError(f"{kept.letter.id} is not shown: {kept.reason}")
    for line in _describe(kept.letter, kept.done):
        echo(line)


@letter_commands.command("replay")
def replay_letters(
    names: Names = None,
    app: App = None,
    topic: Topic = None,
    error: Error = None,
    everything: Everything = False,
    dry_run: DryRun = False,
) -> None:
    """Write them back to the topics that they came from, where that adds what is missing and nothing else."""
    from undertone.commands.letters import Choice

    choice = Choice(names or (), app, topic, error, everything)
    refused = asyncio.run(_replay(_settings(), choice, dry_run=dry_run))
    if refused:
        raise typer.Exit(1)


@letter_commands.command("drop")
def drop_letters(
    names: Names = None,
    app: App = None,
    topic: Topic = None,
    error: Error = None,
    everything: Everything = False,
    dry_run: DryRun = False,
) -> None:
    """Be done with them: they are no longer listed, and Kafka forgets them when the retention of their topic ends."""
    from undertone.commands.letters import Choice

    asyncio.run(_drop(_settings(), Choice(names or (), app, topic, error, everything), dry_run=dry_run))


def _settings() -> "Settings":
    from undertone.local.kafka import with_embedded_kafka
    from undertone.settings import read_settings

    return with_embedded_kafka(read_settings())


async def _replay(settings: "Settings", choice: "Choice", *, dry_run: bool) -> int:
    """Replay, line by line; how many were not."""
    from undertone.commands.letters import read_letters
    from undertone.commands.replaying import replay

    chosen, refused = choice.of(await read_letters(settings)), 0
    async for kept, why in replay(settings, chosen, dry_run=dry_run):
        refused += why is not None
        verdict = "would be replayed" if dry_run else "replayed"
        echo(f"{_named(kept)}: {verdict if why is None else 'stays: ' + ' '.join(why.split())}")
    typer.echo(f"{len(chosen) - refused} of {len(chosen)} dead letters {'would be ' * dry_run}replayed")
    return refused


async def _drop(settings: "Settings", choice: "Choice", *, dry_run: bool) -> None:
    from undertone.commands.letters import mark, read_letters
    from undertone.kafka import open_publisher

    chosen = choice.of(await read_letters(settings))
    async with open_publisher(settings) as publisher:
        for kept in chosen:
            if not dry_run:
                await mark(publisher, kept.letter, "dropped")
            echo(f"{_named(kept)}: {'would be ' * dry_run}dropped")
    typer.echo(f"{len(chosen)} dead letters {'would be ' * dry_run}dropped")


def _named(kept: "Kept") -> str:
    return f"{kept.letter.id} {kept.letter.place}"


def _describe(letter: "Letter", done: str | None) -> list[str]:
    why = letter.why
    return [
        f"letter   {letter.id}{' (' + done + ')' if done else ''}",
        f"from     {letter.place}" + (f", written {show_time(why.written_at)}" if why.written_at else ""),
        f"put away {show_time(why.at)} by {why.app} {why.version}",
        f"why      {one_line(why.error)}",
        *(["         something was given out in its place"] if why.given_out else []),
        *(["         parts of it are missing: it was larger than a record may be"] if letter.is_cut else []),
        f"key      {letter.key!r}",
        *(f"header   {name}: {given!r}" for name, given in letter.headers),
        f"value    {'null' if letter.value is None else f'{len(letter.value)} bytes'}",
        *_show_bytes((letter.value or b"")[:SHOWN_BYTES]),
        *(["…"] if len(letter.value or b"") > SHOWN_BYTES else []),
    ]


def _show_bytes(value: bytes) -> list[str]:
    """Text as text, anything else in hexadecimal, sixteen bytes a line."""
    try:
        return [printable(line) for line in value.decode().splitlines()]
    except UnicodeDecodeError:
        rows = ((at, value[at : at + 16]) for at in range(0, len(value), 16))
        return [f"{at:08x}  {row.hex(' '):<47}  {_ascii(row)}" for at, row in rows]


def _ascii(row: bytes) -> str:
    return "".join(chr(each) if 32 <= each < 127 else "." for each in row)
