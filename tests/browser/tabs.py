"""Tabs of one window, of which one is in sight, as people have them: Playwright shows all of its pages at once."""

import asyncio
import itertools
import json
from typing import Any

from playwright.async_api import Browser, CDPSession

_ANSWER_S = 20


class Tab:
    """A tab that is in sight until another is opened or shown. Its page is spoken to in JavaScript alone."""

    def __init__(self, session: CDPSession, target: str, attached: str) -> None:
        self._session = session
        self._target = target
        self._attached = attached
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        session.on("Target.receivedMessageFromTarget", self._hear)

    async def show(self) -> None:
        """Bring it in sight; the one that was is hidden."""
        await self._session.send("Target.activateTarget", {"targetId": self._target})

    async def send(self, method: str, **params: Any) -> Any:
        """What a method of the Chrome DevTools Protocol returns."""
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        message = json.dumps({"id": number, "method": method, "params": params})
        await self._session.send("Target.sendMessageToTarget", {"sessionId": self._attached, "message": message})
        async with asyncio.timeout(_ANSWER_S):
            answer = await self._asked[number]
        assert "error" not in answer, answer
        return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited, as if somebody had just clicked."""
        wishes = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self.send("Runtime.evaluate", expression=expression, **wishes)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _hear(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if event["sessionId"] == self._attached and "id" in message:
            self._asked[message["id"]].set_result(message)


async def open_tab(chromium: Browser, url: str, *scripts: str) -> Tab:
    """A tab of the window of those that were opened before; ``scripts`` run before the page's own."""
    session = await chromium.new_browser_cdp_session()
    target = (await session.send("Target.createTarget", {"url": "about:blank"}))["targetId"]
    attached = await session.send("Target.attachToTarget", {"targetId": target, "flatten": False})
    tab = Tab(session, target, attached["sessionId"])
    await tab.send("Page.enable")
    for script in scripts:
        await tab.send("Page.addScriptToEvaluateOnNewDocument", source=script)
    await tab.send("Page.navigate", url=url)
    return tab
