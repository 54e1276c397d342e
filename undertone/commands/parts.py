"""Commands that run one part in this process: for `up`, for compose and for Kubernetes."""

from enum import StrEnum
from typing import Annotated

import typer


class Web(StrEnum):
    """The web parts."""

    ingest = "ingest"
    dashboards = "dashboards"
    all = "all"


class WorkerName(StrEnum):
    """The workers."""

    transcriber = "transcriber"
    classifier = "classifier"
    statistics = "statistics"
    archivist = "archivist"


def serve(part: Annotated[Web, typer.Argument(help="The write side, the read side, or both on one origin.")]) -> None:
    """Serve one web part, or both on one origin."""
    from undertone.local.serve import serve as run
    from undertone.logs import configure_logs
    from undertone.settings import read_settings

    settings = read_settings()
    configure_logs(part.value if part is not Web.all else "web", settings.log_level)
    run(part.value, settings)


def worker(name: Annotated[WorkerName, typer.Argument(help="Which worker.")]) -> None:
    """Run one worker."""
    import os

    # Decoders run side by side with one thread each; the threads that numpy would add only spin beside them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from stream_apps.main import run_worker
    from undertone.logs import configure_logs
    from undertone.settings import read_settings

    settings = read_settings()
    configure_logs(name.value, settings.log_level)
    run_worker(name.value, settings)


def demo(url: Annotated[str, typer.Option(help="Where Undertone's web is.")]) -> None:
    """Stream bundled speech in a loop (`undertone up --demo` runs this)."""
    import asyncio

    from undertone.commands.demonstration import play_demo
    from undertone.logs import configure_logs
    from undertone.settings import read_settings

    configure_logs("demo", read_settings().log_level)
    asyncio.run(play_demo(url))
