"""What the first start downloads, with bars: Kafka's jars and the models' weights."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from undertone.errors import FatalError
from undertone.local.jars import KAFKA_VERSION, provide_jars, read_pins
from undertone.local.terminal import Terminal
from undertone.local.weights import download_megabytes, fetch_model, needed_models
from undertone.settings import Settings


class Downloads:
    """The two downloads. They run in threads that do not keep the process from ending."""

    def __init__(self, settings: Settings, terminal: Terminal) -> None:
        """``settings.cache`` is where things go."""
        self._settings = settings
        self._terminal = terminal
        self._stopped = False

    def stop(self) -> None:
        """Give up what is under way, soon."""
        self._stopped = True

    async def jars(self) -> None:
        """Have Kafka's jars, checked. Raises ``FatalError``."""
        with self._terminal.bars() as bars:
            task = bars.add_task(f"Apache Kafka {KAFKA_VERSION}", total=None, visible=False)

            def tell(done: int, count: int) -> None:
                if self._stopped:
                    raise FatalError("the download was stopped")
                if done < count and not bars.tasks[task].visible:
                    self._terminal.say("jars", f"downloads Apache Kafka {KAFKA_VERSION}, some 44 MB")
                bars.update(task, completed=done, total=count, visible=True)

            await in_daemon(lambda: provide_jars(self._settings.cache, read_pins(), tell))
            bars.update(task, visible=False)

    async def weights(self) -> None:
        """Have the models that the settings name, checked. Raises ``FatalError``."""
        with self._terminal.bars() as bars:
            for name in needed_models(self._settings):
                if (megabytes := download_megabytes(name, self._settings.cache)) > 0:
                    self._terminal.say("weights", f"downloads the model {name}, {megabytes} MB")
                await in_daemon(partial(fetch_model, name, self._settings.cache, progress=bars))


async def in_daemon(work: Callable[[], object]) -> None:
    """Run ``work`` in a daemon thread: unlike an executor's, it is left behind when the process has to end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failed: BaseException | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed on to the one who waits
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, failed)

    threading.Thread(target=run, daemon=True).start()
    await done
