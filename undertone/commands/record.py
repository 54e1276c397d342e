"""Recording on the terminal: files, or the local microphone."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from undertone.commands.rest import DEFAULT_URL, Url

Language: TypeAlias = Annotated[
    str | None, typer.Option(help="Language that is spoken, as in en or ko-KR; auto (the default): found out.")
]


def stream(
    files: Annotated[
        list[Path], typer.Argument(help="WAV, FLAC, OGG, MP3 or WebM, or - for standard input; one session each.")
    ],
    speed: Annotated[
        Literal["1", "max"], typer.Option(help="1: as if spoken now; max: as fast as the server takes it.")
    ] = "1",
    url: Url = DEFAULT_URL,
    language: Language = None,
) -> None:
    """Send recordings, and print what is said in them."""
    from undertone.commands.recordings import stream_files

    asyncio.run(stream_files(files, speed, url, language))


def mic(
    url: Url = DEFAULT_URL,
    language: Language = None,
    device: Annotated[str | None, typer.Option(help="Microphone's name or number; default: the system's.")] = None,
) -> None:
    """Record the local microphone until Ctrl-C, and print what is said."""
    from undertone.commands.recordings import record_microphone

    asyncio.run(record_microphone(url, language, device))
