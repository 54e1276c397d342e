"""Background tasks of a process. One that ends unexpectedly ends the process, so that its supervisor restarts it."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from undertone.errors import FatalError

log = logging.getLogger(__name__)

OnFailure: TypeAlias = Callable[[FatalError], object]


def terminate(_: FatalError) -> None:
    """End this process as SIGTERM does: for an app that somebody else's server runs."""
    signal.raise_signal(signal.SIGTERM)


class BackgroundTasks:
    """Runs tasks until ``stop``.

    A task that raises, returns, or is cancelled by anything but ``stop`` is a failure. The first failure is kept in
    ``failure`` and given to ``on_failure``, which has to end the process.
    """

    def __init__(self, on_failure: OnFailure = terminate) -> None:
        self._on_failure = on_failure
        self._running: set[asyncio.Task[Any]] = set()
        self.failure: FatalError | None = None

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` as a task. ``name`` says in the log and in messages what the task does."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._on_end)

    async def stop(self) -> None:
        """Cancel the tasks and return once they have ended. More may be started after that."""
        tasks, self._running = self._running, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def why_not_ready(self) -> str | None:
        """None while all tasks run, else what has ended."""
        return None if self.failure is None else str(self.failure)

    def _on_end(self, task: "asyncio.Task[Any]") -> None:
        if task not in self._running:
            return
        self._running.discard(task)
        failure = _failure_of(task)
        log.critical("%s", failure, exc_info=failure.__cause__)
        if self.failure is None:
            self.failure = failure
            self._on_failure(failure)


def _failure_of(task: "asyncio.Task[Any]") -> FatalError:
    cause: BaseException | None = None
    how = "returned"
    try:
        task.result()
    except FatalError as error:
        return error
    except asyncio.CancelledError as error:
        how, cause = "was cancelled", error
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        how, cause = f"failed: {error!r}", error
    failure = FatalError(
        f"the background task `{task.get_name()}` {how}. The process stops, since it cannot work without this task. "
        "Start it again. If this repeats, the log says where"
    )
    failure.__cause__ = cause
    return failure
