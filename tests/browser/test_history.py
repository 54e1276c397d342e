"""The history in a real browser: what was said is found, sifted, sorted, taken along and deleted."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

import dashboards.app
import ingest_api.app
from storage.engine import make_engine
from storage.upserts import Sourced, store
from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, open_page
from tests.storage_events import session, session_id, utterance, window
from tests.viewing import served
from undertone.events import Event, Sentiment
from undertone.identifiers import make_session_id, session_created_at
from undertone.local.web import join
from undertone.settings import Settings

MANY = 60
"""Untitled sessions of a minute each, one hit in every one; numbered from 1."""
CALL, TALK = make_session_id(1_790_100_000_000, 1), make_session_id(1_790_200_000_000, 2)
MEETING = make_session_id(1_790_300_000_000, 3)
PLEASED = Sentiment(label="positive", score=0.7, probabilities=None, model="test@0")


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


@pytest.fixture
async def past(whole: Settings) -> Settings:
    """A call, a talk in Korean and a meeting that goes on, and many others before them."""
    events: list[Event] = []
    for number in range(1, MANY + 1):
        events += [said(session_id(number), 960_000), *spoken(session_id(number), f"Nothing new today, case {number}.")]
    events += said_of(CALL, "Call about an order", ["support", "urgent"], -0.6, 128)
    events += spoken(CALL, "Good morning.", "I want a refund, and I want it now!", "<b>Refunded</b> by <i>whom</i>?")
    events += said_of(TALK, "날씨 이야기", ["수업"], 0.7, 4000, "ko")
    events += spoken(TALK, "오늘은 날씨가 참 좋네요.", language="ko", sentiment=PLEASED)
    events += [said(MEETING, 160_000, title="Weekly", state="live"), *spoken(MEETING, "The refund is on its way.")]
    await keep(whole, events)
    return whole


@pytest.fixture
async def address(past: Settings) -> AsyncIterator[str]:
    """Both sides on one origin, as `up` has them."""
    async with served(join(ingest_api.app.make_app(past), dashboards.app.make_app(past))) as url:
        yield f"{url}/history"


def said(name: str, through: int, **more: Any) -> Event:
    """A session, ended unless told otherwise."""
    whole = {"state": "ended", "reason": "stop", "language": "en", "through": through} | more
    return session().model_copy(update={"session_id": name, "created_at": session_created_at(name), **whole})


def said_of(name: str, title: str, tags: list[str], score: float, length_s: int, language: str = "en") -> list[Event]:
    """A session with a score."""
    moods = {"positive": 3 if score > 0 else 1, "negative": 3 if score < 0 else 1, "neutral": 1, "score": score}
    whole = window(size_ms=0).model_copy(update={"session_id": name, **moods})
    return [said(name, length_s * 16_000, title=title, tags=tuple(tags), language=language), whole]


def spoken(name: str, *texts: str, **more: Any) -> list[Event]:
    """What was said in it."""
    number = 1
    finals = [utterance(number, seq, text=text, **more) for seq, text in enumerate(texts, 1)]
    key = session_id(number)
    return [
        final.model_copy(update={"session_id": name, "utterance_id": final.utterance_id.replace(key, name)})
        for final in finals
    ]


async def keep(settings: Settings, events: Sequence[Event], topic: str = "x") -> None:
    engine = make_engine(settings.database_url())
    await store(engine, [Sourced(topic, 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()


async def test_what_was_said_is_found_marked_and_opened_where_it_was_said(chromium: Browser, address: str) -> None:
    page, complaints = await open_page(chromium, address)
    await expect(page.locator(".entry")).to_have_count(50)
    words = page.get_by_role("searchbox", name="Search what was said")
    await words.press_sequentially("refund", delay=40)
    marks = page.locator("mark")
    await expect(marks).to_have_text(["refund", "Refunded", "refund"])
    await expect(page.locator("#state")).to_have_text("Hits: 3, in sessions: 2. Newest first.")
    await expect(page.locator(".entry-title")).to_have_text(["Weekly", "Call about an order"])
    await expect(page.locator(".entry").first.locator(".badge")).to_have_text("live")
    hits = page.locator(".entry").nth(1).get_by_role("listitem").get_by_role("link")
    await expect(hits).to_have_text(
        [re.compile(r"^0:10.*<b>Refunded</b> by <i>whom</i>\?.*negative$"), re.compile("^0:05.*I want a refund")]
    )
    assert page.url == f"{address}?q=refund"
    await hits.nth(1).click()
    await expect(page.locator(".row[aria-current]")).to_contain_text("I want a refund")
    await page.go_back()
    await expect(words).to_have_value("refund")
    await expect(marks).to_have_count(3)
    await page.go_back()  # one step for all that was typed
    await expect(words).to_have_value("")
    await expect(page.locator(".entry")).to_have_count(50)
    await page.go_forward()
    await expect(marks).to_have_count(3)
    await page.reload()
    await expect(marks).to_have_count(3)
    await words.fill("weather")
    await expect(page.locator("#none-words")).to_contain_text("Nothing was found for “weather”")
    await expect(page.locator("#none-hints")).to_be_visible()
    assert complaints == []


async def test_an_older_answer_never_takes_the_place_of_a_newer_one(chromium: Browser, address: str) -> None:
    page, _ = await open_page(chromium, address)
    await expect(page.locator(".entry")).to_have_count(50)
    held = asyncio.Event()
    slow = asyncio.Event()

    async def hold(route: Route) -> None:
        if "q=case&" in route.request.url:
            held.set()
            await slow.wait()
        await route.continue_()

    await page.route("**/v1/search*", hold)
    words = page.get_by_role("searchbox")
    await words.fill("case")
    await asyncio.wait_for(held.wait(), 20)
    await expect(page.locator("#state")).to_have_text("This takes longer than usual …")
    await words.fill("refund")
    await expect(page.locator("mark")).to_have_count(3)
    slow.set()
    await words.press("Enter")
    await expect(page.locator("#state")).to_have_text("Hits: 3, in sessions: 2. Newest first.")
    await expect(page.locator("mark")).to_have_count(3)


async def test_the_keyboard_sifts_sorts_turns_pages_and_keeps_its_place(
    past: Settings, chromium: Browser, address: str
) -> None:
    page, complaints = await open_page(chromium, address)
    titles = page.locator(".entry-title")
    await expect(titles).to_have_count(50)
    await expect(page.locator("#state")).to_have_text("The first 50 sessions; there are more.")
    await keep(past, said_of(make_session_id(1_790_400_000_000, 4), "It came later", [], -0.9, 60), "later")
    more = page.get_by_role("button", name="Show more")
    await more.press("Enter")
    await expect(titles).to_have_count(MANY + 2)
    await expect(more).to_be_hidden()
    await expect(titles.nth(50).get_by_role("link")).to_be_focused()
    await expect(titles.filter(has_text="It came later")).to_have_count(0)
    top = await page.evaluate("scrollY")
    assert top > 0
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript .row")).to_have_count(1)
    await page.go_back()
    await expect(titles).to_have_count(MANY + 2)
    await expect(titles.first).to_have_text("It came later")
    await page.wait_for_function("top => Math.abs(scrollY - top) < 200", arg=top)

    await choose(page.get_by_label("Order"), "most")
    await expect(page).to_have_url(f"{address}?sort=negative")
    await expect(titles.locator("nth=0")).to_have_text("It came later")
    await expect(titles.locator("nth=1")).to_have_text("Call about an order")
    await choose(page.get_by_label("Order"), "longest")
    await expect(titles.locator("nth=0")).to_have_text("날씨 이야기")
    await choose(page.get_by_label("Length"), "an hour")
    await expect(titles).to_have_text(["날씨 이야기"])
    await page.get_by_role("button", name="Clear the filters").first.press("Enter")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await expect(page).to_have_url(f"{address}?sort=longest")
    await page.get_by_label("Tag").fill("support")
    await page.keyboard.press("Enter")
    await expect(titles).to_have_text(["Call about an order"])
    await choose(page.get_by_label("Language"), "Korean")
    await expect(page.locator("#none-words")).to_have_text("No session fits these filters.")
    await page.locator("#none-clear").press("Enter")
    await choose(page.get_by_label("Sentiment"), "positive")
    await expect(titles).to_have_text(["날씨 이야기"])
    await page.go_back()
    await expect(page.get_by_label("Sentiment")).to_have_value("")
    await page.locator(".entry", has_text="Call about").get_by_role("button", name="urgent").press("Enter")
    await expect(titles).to_have_text(["Call about an order"])
    assert page.url == f"{address}?tag=urgent&sort=longest"
    assert complaints == []


async def test_in_korean_and_by_the_days_of_the_reader(chromium: Browser, address: str) -> None:
    # the call was on the 22nd in UTC, and at twenty past two on the 23rd in Seoul
    page, complaints = await open_page(chromium, address, locale="ko-KR", timezone_id="Asia/Seoul")
    await page.get_by_label("시작일").fill("2026-09-23")
    await page.get_by_label("종료일").fill("2026-09-23")
    await expect(page.locator(".entry-title")).to_have_text(["Call about an order"])
    await page.get_by_role("button", name="필터 지우기").first.click()
    words = page.get_by_role("searchbox", name="나눈 말 검색")
    await words.fill("날씨")
    await expect(page.locator("mark")).to_have_text(["날씨"])
    await expect(page.locator(".hit-text")).to_have_attribute("lang", "ko")
    await expect(page.locator(".hit .chip")).to_have_text("긍정")
    await expect(page.locator("#state")).to_have_text("세션 1개에서 말 1개를 찾았습니다. 최신순입니다.")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("#state")).to_have_text("Hits: 1, in sessions: 1. Newest first.")
    await expect(page.locator(".entry-facts")).to_contain_text("Korean")
    assert complaints == []


async def test_a_session_is_taken_along_and_deleted_with_the_keyboard(
    chromium: Browser, address: str, tmp_path: Path
) -> None:
    page, complaints = await open_page(chromium, f"{address}?tag=support")
    entry = page.locator(".entry")
    doings = entry.get_by_role("button", name="Export or delete")
    await doings.press("Enter")
    await expect(doings).to_have_attribute("aria-expanded", "true")
    await take_along(page, entry, tmp_path)
    await page.keyboard.press("Escape")
    await expect(doings).to_be_focused()
    await expect(doings).to_have_attribute("aria-expanded", "false")

    await page.goto(address)
    call = entry.nth(1)
    await expect(call).to_contain_text("Call about an order")
    await call.get_by_role("button", name="Export or delete").press("Enter")
    delete = call.get_by_role("button", name="Delete", exact=True)
    await delete.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete “Call about an order” for good?")
    await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(delete).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#notice")).to_contain_text("“Call about an order” is deleted")
    await expect(page.locator("#notice")).to_contain_text(re.compile(r"gone by \w+ \d+, \d{4}"))
    await expect(page.locator(".entry-link").nth(1)).to_be_focused()
    await expect(entry.filter(has_text="Call about")).to_have_count(0)
    await page.reload()
    await expect(entry.first).to_be_visible()
    await expect(entry.filter(has_text="Call about")).to_have_count(0)

    await entry.first.get_by_role("link").first.click()  # the talk
    await take_along(page, page.locator("#keeping"), tmp_path)
    await page.locator("#keeping").get_by_role("button", name="Delete").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    await expect(page.locator("#notice")).to_contain_text(re.compile(r"gone by \w+ \d+, \d{4}"))
    await expect(page.get_by_role("link", name="All sessions")).to_be_focused()
    assert await page.locator(".row:visible").count() == 0
    assert complaints == []


async def test_trouble_is_told_in_words_and_passes(chromium: Browser, address: str) -> None:
    page, _ = await open_page(chromium, f"{address}?q=refund&language=en")
    await expect(page.locator("mark")).to_have_count(3)
    trouble, state = page.get_by_role("alert"), page.locator("#state")
    again = page.get_by_role("button", name="Try again")
    words = page.get_by_role("searchbox")
    answers: list[tuple[int, dict[str, Any], str]] = [
        (503, {"code": "search_too_broad", "message": "too long"}, "Too much was said that fits"),
        (422, {"code": "request_invalid", "message": "no word"}, "This cannot be searched for"),
        (500, {"code": "internal", "message": "a fault of the server"}, "could not be read: a fault of the server"),
        (429, {"code": "refused", "message": "busy", "retry_after_ms": 60_000}, "asked too much"),
    ]
    for number, (status, body, told) in enumerate(answers):
        await page.route("**/v1/search*", refusing(status, body))
        await words.fill(f"refund {number}")
        await expect(trouble).to_contain_text(told)
        await expect(page.locator(".entry")).to_have_count(0)
        await expect(state).to_be_hidden()
        await expect(page.locator("#none")).to_be_hidden()
        await page.unroute("**/v1/search*")
        if number == 0:
            assert await violations_in_every_look(page) == []
    await words.fill("refund")
    await expect(page.locator("mark")).to_have_count(3)
    await expect(trouble).to_be_hidden()
    await page.context.set_offline(offline=True)
    await words.fill("order")
    await expect(trouble).to_contain_text("The server cannot be reached. It is tried again by itself.")
    await again.focus()
    await page.context.set_offline(offline=False)
    await expect(trouble).to_be_hidden()
    await expect(page.locator("#none-words")).to_contain_text("order")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()  # the button is gone


async def test_axe_finds_nothing_wrong(chromium: Browser, address: str) -> None:
    page, _ = await open_page(chromium, address)
    call = page.locator(".entry", has_text="Call about")
    await call.get_by_role("button", name="Export or delete").click()
    assert await violations_in_every_look(page) == []
    await call.get_by_role("button", name="Delete", exact=True).click()
    assert await violations_in_every_look(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("searchbox").fill("refund")
    await expect(page.locator("mark")).to_have_count(3)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await violations_in_every_look(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("searchbox").fill("refund 날씨")
    await expect(page.locator("#none-words")).to_be_visible()
    assert await violations_in_every_look(page) == []


def refusing(status: int, body: dict[str, Any]) -> Callable[[Route], Awaitable[None]]:
    """A handler that answers every request so."""

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, json=body)

    return refuse


async def choose(select: Locator, beginning: str) -> None:
    """Go down to an option by the arrow key, as one does without a mouse."""
    chosen = "it => it.selectedOptions[0].textContent"
    for _ in range(await select.locator("option").count()):
        if (await select.evaluate(chosen)).startswith(beginning):
            return
        await select.press("ArrowDown")
    raise AssertionError(f"no option begins with {beginning}")


async def take_along(page: Page, place: Locator, folder: Path) -> None:
    """The links there give files of their kinds, with the words and a name for people."""
    for form in ("SRT", "VTT", "CSV", "JSON"):
        async with page.expect_download() as downloading:
            await place.get_by_role("link", name=form).press("Enter")
        download = await downloading.value
        assert re.fullmatch(rf"(Call-about-an-order|날씨-이야기)\.{form.lower()}", download.suggested_filename)
        await download.save_as(folder / form)
        text = (folder / form).read_text(encoding="utf-8")
        assert "refund" in text or "날씨" in text
