"""One session in a real browser: read, followed, scrubbed and linked, however long it is and whatever goes wrong."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Browser, CDPSession, Page, Route, expect
from pydantic import SecretStr

from dashboards import tape
from dashboards.app import make_app
from dashboards.streams import Pace
from storage.migrations import upgrade
from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, open_page
from tests.browser.long_session import EACH_MS, finals, keep, session_after, windows_after, windows_of
from tests.conftest import running
from tests.examples import SESSION_ID, mark
from tests.heard import forget_audio
from tests.viewing import Writer, served
from tests.waiting import until
from undertone.events import AudioSpan, Event, Partial, Statistics, Utterance
from undertone.kafka import open_publisher
from undertone.local.postgres import EmbeddedPostgres
from undertone.records import Audio
from undertone.settings import Settings

MANY = 10_000
MOST_ROWS = 900
PATH = f"/session?id={SESSION_ID}"
BUTTONS_OF = """async ([utterances, heardFromMs]) => {
  const { Transcript } = await import("/shared/transcript.js");
  const holder = document.createElement("div");
  const transcript = new Transcript(holder, holder, { isLinked: true });
  transcript.silence(heardFromMs, []);
  transcript.show({ utterances, partial: null }, false);
  return [...holder.querySelectorAll(".row")].map((row) => row.querySelectorAll(".row-play").length);
}"""


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running_browser:
        yield running_browser


def ended(said: list[Utterance]) -> list[Event]:
    """All that is stored of a session that has ended after these."""
    end = mark(said[-1].seq + 1, said[-1].end_ms, "stop")
    return [session_after(end, reason="stop"), *said, end, *windows_of([*said, end])]


def going_on(said: list[Utterance]) -> list[Event]:
    """The same of one that goes on."""
    return [session_after(said[-1]), *said, *windows_of(said)]


async def test_ten_thousand_utterances_are_opened_anywhere_and_read_to_both_ends(
    whole: Settings, chromium: Browser
) -> None:
    await keep(whole, ended(finals(MANY)))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        await expect(page.locator(".row").first).to_contain_text("(1)")
        assert await page.locator("#scroll").evaluate("it => it.scrollTop") == 0
        await page.goto("about:blank")
        await page.goto(f"{address}{PATH}&at=4:00:00")
        marked = page.locator(".row[aria-current]")
        await expect(marked).to_contain_text("(5001)")
        await expect(marked).to_be_in_viewport()
        async with asyncio.timeout(60):  # back beyond what the page holds, without losing the place
            while (number := await number_in_sight(page)) > 5001 - 2 * MOST_ROWS:
                await page.locator("#scroll").evaluate("it => it.scrollBy(0, -2000)")
                assert await number_in_sight(page) <= number
        await check_rows(page)
        line = page.get_by_role("slider")
        await line.press("End")
        await expect(page.locator(".row", has_text=f"({MANY - 1})")).to_be_in_viewport()
        await line.press("Home")
        await expect(page.locator(".row", has_text="(1)")).to_be_in_viewport()
        await check_rows(page)
        for width in (360, 390, 820, 1280, 2560):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            edges = "['.quarters', '.figures'].map(name => document.querySelector(name).getBoundingClientRect().right)"
            table, panel = await page.evaluate(edges)
            assert table <= panel, width
        assert complaints == []


async def test_every_utterance_has_a_link_that_opens_the_page_there(whole: Settings, chromium: Browser) -> None:
    said = finals(MANY)
    await keep(whole, going_on(said))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        row = page.locator(".row", has_text="(9985)")
        await row.get_by_role("link").click()
        await expect(row).to_have_attribute("aria-current", "true")
        assert page.url == f"{address}{PATH}#{said[9984].utterance_id}"
        other = await page.context.new_page()
        await other.goto(f"{address}{PATH}#{said[2344].utterance_id}")
        await expect(other.locator(".row[aria-current]")).to_contain_text("(2345)")
        await expect(other.locator(".row[aria-current]")).to_be_in_viewport()
        await expect(other.get_by_role("button", name="Jump to live")).to_be_visible()
        await page.evaluate("id => { location.hash = id }", said[4999].utterance_id)  # as from the address bar
        await expect(page.locator(".row-suppressed[aria-current]")).to_contain_text("(5000)")
        await page.go_back()
        await expect(page.locator(".row[aria-current]")).to_contain_text("(9985)")
        assert complaints == []


async def test_the_reader_who_follows_is_taken_along_and_the_one_who_reads_back_is_not(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    said = finals(60)
    await keep(whole, going_on(said[:40]))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        await expect(page.locator(".row", has_text="(40)")).to_be_in_viewport()
        await watch_shifts(page)
        await write_changing(writer, said[40], "It is", 5)
        changing = page.locator(".partial-text")
        await expect(changing).to_have_text("It is the")
        await expect(changing).to_be_in_viewport()
        assert await page.get_by_role("log").inner_text() == "", "what changes is not announced, nor what was there"
        before = await changing.bounding_box()
        await writer.write(said[40])
        final = page.locator(".row", has_text="(41)").locator(".row-text")
        await expect(final).to_be_in_viewport()
        after = await final.bounding_box()
        assert before
        assert after
        assert (after["x"], after["width"]) == (before["x"], before["width"])
        assert await page.get_by_role("log").inner_text() == f"{said[40].text} negative"

        await page.locator("#scroll").evaluate("it => it.scrollBy(0, -400)")
        live = page.locator("#live")
        await expect(live).to_have_text("Jump to live")
        top = await first_in_sight(page)
        await writer.write(*said[41:48])
        await expect(live).to_have_text("7 new · jump to live")
        assert await first_in_sight(page) == top
        assert await page.get_by_role("log").inner_text() == f"{said[40].text} negative", "a reader is not talked over"
        await live.click()
        await expect(live).to_be_hidden()
        await expect(page.locator(".row", has_text="(48)")).to_be_in_viewport()
        await writer.write(said[48], said[49])
        await expect(page.locator(".row", has_text="(49)")).to_be_in_viewport()
        assert await shifts(page) == []  # at the end the badge says so, and is as wide as its word
        await writer.write(said[50], session_after(mark(52, said[50].end_ms, "stop"), reason="stop"))
        await expect(page.locator("#state")).to_have_text("ended")
        await expect(page.locator(".row", has_text="(51)")).to_be_in_viewport()
        assert complaints == []


async def test_a_change_of_the_screen_leaves_the_reader_at_the_same_words(whole: Settings, chromium: Browser) -> None:
    await keep(whole, ended(finals(1000)))
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, f"{address}{PATH}&at=0:24:00")
        await expect(page.locator(".row[aria-current]")).to_contain_text("(501)")
        top = await number_in_sight(page)
        for width, height in ((390, 844), (1280, 800), (2560, 1440), (820, 600)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
            assert abs(await number_in_sight(page) - top) <= 1, width
            await expect(page.locator(".row[aria-current]")).to_be_attached()


async def test_pointing_at_words_points_at_their_time_and_the_other_way_round(
    whole: Settings, chromium: Browser
) -> None:
    await keep(whole, ended(finals(60, each_ms=6000)))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        cursor = page.locator(".time-cursor")
        readout = page.locator("#readout")
        row = page.locator(".row").nth(2)
        await row.hover()
        await expect(cursor).to_have_attribute("visibility", "visible")
        await expect(readout).to_contain_text("0:12")
        await expect(readout).to_contain_text("We have been waiting far too long")
        line = page.get_by_role("slider")
        box = await line.bounding_box()
        assert box
        await page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 30)
        pointed = page.locator(".row-pointed")
        await expect(pointed).to_have_count(1)
        assert await pointed.locator(".row-time").inner_text() == (await readout.locator("b").inner_text())
        await page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 30)
        await expect(page.locator(".row-pointed")).to_be_in_viewport()
        assert await page.locator("#scroll").evaluate("it => it.scrollTop") > 0
        await page.mouse.move(0, 0)
        await expect(cursor).to_have_attribute("visibility", "hidden")
        assert complaints == []


async def test_the_page_is_read_with_the_keyboard_alone(whole: Settings, chromium: Browser) -> None:
    await keep(whole, ended(finals(60, each_ms=6000)))
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, address + PATH)
        line = page.get_by_role("slider", name="Time line")
        await expect(page.locator(".row").first).to_be_visible()
        for _ in range(12):
            await page.keyboard.press("Tab")
            if await line.evaluate("it => it === document.activeElement"):
                break
        await expect(line).to_be_focused()
        for _ in range(18):
            await page.keyboard.press("ArrowRight")
        await expect(line).to_have_attribute("aria-valuenow", "180")
        await expect(line).to_have_attribute("aria-valuetext", re.compile(r"^3:00, score .* “"))
        await expect(page.locator(".row-pointed")).to_be_in_viewport()
        await page.keyboard.press("Tab")
        await expect(page.locator("#scroll")).to_be_focused()
        await page.keyboard.press("Tab")
        first = await focused_time(page)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        assert await focused_time(page) > first
        await expect(page.locator("#readout")).to_contain_text(await focused_time(page))
        await page.keyboard.press("Enter")
        await expect(page.locator(".row[aria-current]")).to_contain_text(await focused_time(page))
        await page.keyboard.press("Tab")
        assert await focused_time(page) == "", "one stop for the whole transcript"


async def test_words_put_aside_are_grey_and_say_why(whole: Settings, chromium: Browser) -> None:
    await keep(whole, ended(finals(160)))
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, address + PATH)
        rows = page.locator(".row-suppressed")
        await expect(rows).to_have_count(3)
        reasons = ["not counted: repetition", "not counted: could not be transcribed", "not counted: unclear"]
        for row, reason in zip(await rows.all(), reasons, strict=True):
            await expect(row.locator(".row-reason")).to_have_text(reason)
            assert await row.locator(".chip").count() == 0
        soft = await page.locator(".row-time").first.evaluate("it => getComputedStyle(it).color")
        assert await rows.first.locator(".row-text").evaluate("it => getComputedStyle(it).color") == soft


async def test_an_old_snapshot_a_reset_and_a_lost_connection_leave_the_reader_where_he_was(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    said = finals(3000)
    await keep(whole, going_on(said))
    reconnections: list[str] = []

    async def forget(route: Route) -> None:
        reconnections.append(route.request.url)
        await route.continue_(url=re.sub("last_event_id=[^&]*", "last_event_id=of-another-log", route.request.url))

    async with served(make_app(whole, Pace(rotate_s=1.0, rotate_jitter_s=0.0))) as address:
        page, complaints = await open_page(chromium, f"{address}{PATH}&at=0:30:00")
        await page.route(re.compile("last_event_id"), forget)
        await expect(page.locator(".row[aria-current]")).to_contain_text("(626)")
        top = await first_in_sight(page)
        await expect(page.locator("#notice")).to_be_hidden()
        async with page.expect_response(lambda answer: "last_event_id" in answer.url):
            pass
        async with page.expect_response(lambda answer: "last_event_id" in answer.url):
            pass
        assert len(reconnections) >= 2
        await writer.write(*finals(3, 3001))
        await expect(page.locator("#live")).to_have_text("3 new · jump to live")
        assert await first_in_sight(page) == top
        await expect(page.locator(".row[aria-current]")).to_be_in_viewport()
        await page.locator("#live").click()
        await expect(page.locator(".row", has_text="(3003)")).to_be_in_viewport()
        assert complaints == []


async def test_without_the_history_it_shows_what_is_new_and_fills_itself_when_it_is_back(
    topics: Settings, tmp_path: Path, chromium: Browser
) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    said = finals(40)
    with running(server):
        whole = topics.model_copy(update={"database": SecretStr(server.url)})
        upgrade(server.url)
        await keep(whole, going_on(said[:30]))
    async with open_publisher(whole) as publisher, served(make_app(whole)) as address:
        await Writer(publisher, whole).write(session_after(said[30]), *said[30:])
        page, _ = await open_page(chromium, address + PATH)
        await expect(page.locator("#notice")).to_contain_text("The history cannot be reached at the moment.")
        await expect(page.locator(".row")).to_have_count(10)
        await expect(page.locator(".row", has_text="(40)")).to_be_in_viewport()
        with running(server):
            await expect(page.locator("#notice")).to_be_hidden(timeout=40_000)
            await expect(page.locator(".row", has_text="(7)")).to_be_attached()
            await check_rows(page)


async def test_what_is_gone_is_said_in_words_and_leads_on(whole: Settings, writer: Writer, chromium: Browser) -> None:
    said = finals(5)
    await keep(whole, going_on(said))
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, address + PATH)
        await expect(page.locator(".row")).to_have_count(5)
        deleted = session_after(said[-1]).model_copy(update={"seq": 6, "state": "deleted", "reason": "delete"})
        await writer.write(deleted)
        await expect(page.locator("#notice")).to_contain_text("has been deleted")
        assert await page.locator(".row:visible").count() == 0
        assert await page.title() == "Undertone"
        await expect(page.get_by_role("link", name="All sessions")).to_be_visible()
        assert await violations_in_every_look(page) == []


async def test_before_anybody_has_spoken_and_where_nobody_did(whole: Settings, chromium: Browser) -> None:
    silence = mark(1, 60_000)
    await keep(whole, [session_after(silence), silence, *windows_of([silence])])
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, address + PATH)
        await expect(page.locator("#transcript-none")).to_have_text("Nothing has been said yet.")
        await expect(page.locator("#live")).to_be_hidden()
        assert await violations_in_every_look(page) == []
        end = mark(2, 60_000, "stop")
        await keep(whole, [session_after(end, reason="stop"), end], "later")
        await page.reload()
        await expect(page.locator("#transcript-none")).to_have_text("Nothing was said in this session.")


async def test_a_reader_who_has_scrolled_up_is_not_taken_along_before_the_browser_says_so(
    whole: Settings, chromium: Browser
) -> None:
    """The event of a scroll comes with the next frame, and something may be painted before."""
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, address + PATH)
        follows, above = await page.evaluate(
            """async (lines) => {
              const { Transcript } = await import("/shared/transcript.js");
              const [scroller, holder] = [document.createElement("div"), document.createElement("div")];
              Object.assign(scroller.style, { height: "300px", overflow: "auto" });
              scroller.append(holder);
              document.body.append(scroller);
              const transcript = new Transcript(holder, scroller);
              const show = (count) => transcript.show({ utterances: lines.slice(0, count), partial: null }, true);
              show(40);
              await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
              const end = scroller.scrollTop;
              scroller.scrollBy(0, -400);
              show(41);
              return [transcript.follow.isOn, end - scroller.scrollTop];
            }""",
            [line.model_dump(mode="json") for line in finals(41)],
        )
        assert not follows
        assert above == pytest.approx(400, abs=2)


async def test_words_are_heard_one_at_a_time_until_their_sound_is_no_longer_kept(
    whole: Settings, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "BEGINS_S", 0.0)
    said = await keep_with_sound(whole, finals(12, each_ms=6000))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        await watch_sound(page)
        rows = page.locator(".row")
        await rows.nth(1).get_by_role("button", name="Play 0:06").click()
        await expect(rows.nth(1)).to_have_class(re.compile("row-playing"))
        await until_heard(page, 0.2)
        await expect(page.locator(".time-played")).to_have_attribute("visibility", "visible")
        await rows.nth(2).get_by_role("button").click()
        await expect(rows.nth(1).get_by_role("button", name="Play 0:06")).to_be_attached()
        await until_heard(page, 0.2)
        assert await page.locator(".row-playing").count() == 1
        await page.keyboard.press("Escape")
        await expect(page.locator(".row-playing")).to_have_count(0)
        await expect(page.locator(".time-played")).to_have_attribute("visibility", "hidden")

        await rows.nth(0).get_by_role("link").focus()  # with the keyboard: the button beside the link
        await page.keyboard.press("Tab")
        await page.keyboard.press("ArrowDown")
        await expect(rows.nth(1).get_by_role("button")).to_be_focused()
        await page.keyboard.press("Space")
        await expect(rows.nth(1).get_by_role("button", name="Stop 0:06")).to_be_focused()
        await until_heard(page, 0.2)
        await page.keyboard.press("Space")
        await expect(page.locator(".row-playing")).to_have_count(0)

        line = page.get_by_role("slider", name="Time line")
        await line.press("Home")
        await line.press("Enter")  # from the time line
        await expect(rows.nth(0)).to_have_class(re.compile("row-playing"))
        await until_heard(page, 0.2)
        await line.press("Enter")
        await expect(page.locator(".row-playing")).to_have_count(0)
        box = await line.bounding_box()
        assert box
        await page.mouse.dblclick(box["x"] + 71 + (box["width"] - 79) * 7000 / said[-1].end_ms, box["y"] + 30)
        await expect(rows.nth(1)).to_have_class(re.compile("row-playing"))
        await until_heard(page, 0.9)  # from the word that was pointed at
        await expect(page.locator(".row-playing")).to_have_count(0, timeout=10_000)  # it comes to its end
        assert await violations_in_every_look(page) == []
        await expect(page.locator("#silence")).to_be_hidden()
        assert complaints == []

        await forget_audio(whole, SESSION_ID, said[5].audio.first_offset)
        await rows.nth(3).get_by_role("button").click()  # unheard so far: Chromium keeps what it has heard for a while
        await expect(rows.nth(3).get_by_role("alert")).to_have_text("The sound of these words is no longer kept.")
        await expect(page.locator(".row-playing")).to_have_count(0)
        for gone in range(4):  # what was pressed, and all before it
            await expect(rows.nth(gone).get_by_role("button")).to_have_count(0)
        await expect(rows.nth(3).get_by_role("link")).to_be_focused()
        assert await violations_in_every_look(page) == []
        await rows.nth(6).get_by_role("button").click()
        await until_heard(page, 0.2)
        await expect(page.get_by_role("alert")).to_have_count(0)
        await rows.nth(4).get_by_role("button").click()
        await page.get_by_role("button", name="한국어").click()
        await expect(rows.nth(4).get_by_role("alert")).to_have_text("이 말의 소리는 더 이상 보관되어 있지 않습니다.")
        await page.get_by_role("button", name="English").click()

        await page.reload()  # what cannot be heard is not offered
        await expect(page.locator("#silence")).to_have_text(re.compile("^What was said before 0:2[0-9] can no longer"))
        assert [await rows.nth(n).get_by_role("button").count() for n in (0, 4, 5, 11)] == [0, 0, 1, 1]
        late = [said[n].model_dump(mode="json") for n in (4, 5)]
        assert await page.evaluate(BUTTONS_OF, [late, said[4].end_ms]) == [0, 1], "nor on lines that come later"
        await rows.nth(4).get_by_role("link").focus()
        await page.keyboard.press("ArrowDown")
        await expect(rows.nth(5).get_by_role("link")).to_be_focused()
        await forget_audio(whole, SESSION_ID, -1)
        await page.reload()
        await expect(page.locator("#silence")).to_have_text("This session can no longer be heard; its words stay.")
        await expect(page.locator(".row-play")).to_have_count(0)
        assert await violations_in_every_look(page) == []


async def test_a_long_session_is_looked_at_closely_where_the_reader_is(whole: Settings, chromium: Browser) -> None:
    await keep(whole, ended(finals(MANY)))
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, f"{address}{PATH}&at=4:00:00")
        await expect(page.locator(".row[aria-current]")).to_contain_text("(5001)")
        line = page.get_by_role("slider", name="Time line")
        await until_times(page, "0:00", "0:00", "7:00:00", "7:59:59")
        closer = page.get_by_role("button", name="Show less, more closely")
        for _ in range(6):
            await closer.click()
        await until_times(page, "3:55:00", "4:00:00", "4:00:00", "4:05:00")
        await expect(page.locator(".time-said.time-positive")).to_have_attribute("d", re.compile("^M"))  # one by one
        await line.press("PageUp")
        await line.press("PageUp")
        await expect(line).to_have_attribute("aria-valuenow", re.compile("^14[4-6]"))
        await line.press("End")
        await expect(page.locator(".row", has_text=f"({MANY - 1})")).to_be_in_viewport()
        await expect(page.locator("#time-line text", has_text="7:55:00")).to_be_attached()
        await line.press("0")
        await until_times(page, "0:00", "0:00", "7:00:00", "7:59:59")
        await expect(page.get_by_role("button", name="Show the whole session")).to_have_attribute(
            "aria-disabled", "true"
        )
        box = await line.bounding_box()
        assert box
        await page.mouse.move(box["x"] + 71 + (box["width"] - 79) / 4, box["y"] + 30)
        await page.keyboard.down("Control")
        for _ in range(5):
            await page.mouse.wheel(0, -120)
        await page.keyboard.up("Control")
        await until_times(page, "1:45:00", "2:00:00", "2:00:00", "2:15:00")
        assert complaints == []


async def test_axe_finds_nothing_wrong(whole: Settings, chromium: Browser) -> None:
    await keep(whole, going_on(finals(120)))
    async with served(make_app(whole)) as address:
        page, _ = await open_page(chromium, f"{address}{PATH}&at=1:00")
        await expect(page.locator(".row[aria-current]")).to_be_visible()
        await expect(page.locator("#live")).to_be_visible()
        await page.locator(".row").nth(20).hover()
        await page.locator("#delays summary").click()
        await expect(page.locator("#delay-words")).to_contain_text("Usually")
        assert await violations_in_every_look(page) == []
        await page.get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await violations_in_every_look(page) == []
        await page.keyboard.press("Escape")
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await violations_in_every_look(page) == []


async def test_after_ten_thousand_utterances_the_page_holds_and_does_no_more_than_after_a_thousand(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    """Eight hours on the wire in a minute or two: what is held after a thousand is held after ten thousand."""
    said = finals(MANY)
    begun, early, late = 500, 1500, MANY - 120
    await keep(whole, going_on(said[:begun]))
    statistics, _ = windows_after(Statistics(session_id=SESSION_ID), said[:begun])
    async with served(make_app(whole)) as address:
        page, complaints = await open_page(chromium, address + PATH)
        await expect(page.locator(".row", has_text=f"({begun - 1})")).to_be_in_viewport()
        await expect(page.locator("#quarters tr")).to_have_count(4)
        client = await page.context.new_cdp_session(page)
        await client.send("Performance.enable", {"timeDomain": "threadTicks"})
        statistics = await flow(writer, page, statistics, said[begun:early])
        early_ms = await cost_of_a_change(writer, page, client, said[early])
        before = await usage(client)
        statistics = await flow(writer, page, statistics, said[early:late])
        # At the pace of speech, more than it lets go at once, nothing moves; in the haste before, it may.
        await watch_shifts(page)
        await flow(writer, page, statistics, said[late:], step=3)
        assert await shifts(page) == []
        after = await usage(client)
        late_ms = await cost_of_a_change(writer, page, client, finals(1, MANY + 1)[0])
        assert after["JSHeapUsedSize"] - before["JSHeapUsedSize"] < 4e6, (before, after)
        assert after["Nodes"] < before["Nodes"] * 1.15, (before, after)
        assert late_ms < 2 * early_ms
        await check_rows(page)
        assert complaints == []


async def keep_with_sound(settings: Settings, said: list[Utterance]) -> list[Utterance]:
    """An ended session with a record of the log for the sound of each utterance, a tone; what is stored of them."""
    placed = []
    async with open_publisher(settings) as publisher:
        for final in said:
            tone = np.sin(np.arange(final.end_sample - final.first_sample) / 8) * 3000
            record = Audio(SESSION_ID, "a", final.first_sample, tone.astype("<i2").tobytes())
            offset = await publisher.publish_audio(record)
            span = AudioSpan(partition=0, first_offset=offset, last_offset=offset)
            placed.append(final.model_copy(update={"audio": span}))
    await keep(settings, ended(placed))
    return placed


async def watch_sound(page: Page) -> None:
    """From now on the page's sound is known: ``window.sounds``."""
    await page.add_init_script(
        "window.sounds = []; const { play } = Audio.prototype;"
        " HTMLMediaElement.prototype.play = function () { window.sounds = [this]; return play.call(this); };"
    )
    await page.reload()


async def until_heard(page: Page, seconds: float) -> None:
    """Sound is being played, and so much of it lies behind."""
    await page.wait_for_function(
        "seconds => { const [sound] = window.sounds; return sound && !sound.paused && sound.currentTime > seconds; }",
        arg=seconds,
    )


async def until_times(page: Page, *bounds: str) -> None:
    """The first and the last moment that the time line names lie so: each not before one and not after another."""

    async def is_so() -> bool:
        labels = await page.locator("#time-line text").all_text_contents()
        named = [label for label in labels if re.fullmatch(r"[\d:]+", label)]
        earliest, first, last, latest = bounds
        assert earliest <= named[0] <= first, named
        assert last <= named[-1] <= latest, named
        return True

    await until(is_so, 10)


async def flow(
    writer: Writer, page: Page, statistics: Statistics, said: list[Utterance], step: int = 250
) -> Statistics:
    """Words and windows, so many at once, as fast as the page takes them; in sight on return."""
    for first in range(0, len(said), step):
        some = said[first : first + step]
        statistics, windows = windows_after(statistics, some)
        await writer.write(*some, session_after(some[-1]), *windows)
        last = next(final for final in reversed(some) if final.text)
        await expect(page.locator(f"[id='{last.utterance_id}']")).to_be_in_viewport(timeout=30_000)
    return statistics


async def cost_of_a_change(writer: Writer, page: Page, client: CDPSession, final: Utterance) -> float:
    """What it takes the browser to take in and paint one more word of what is being said, in milliseconds of a core."""
    words = [f"word {number}" for number in range(40)]
    before = await metrics(client)
    for number, word in enumerate(words):
        await write_changing(writer, final, word, 0, rev=final.first_sample + 1600 * (number + 1))
        await expect(page.locator(".partial-text")).to_have_text(f"{word} the")
    after = await metrics(client)
    spent = {name: after[name] - before[name] for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")}
    return sum(spent.values()) * 1000 / len(words)


async def usage(client: CDPSession) -> dict[str, float]:
    """What the browser says that the page holds, after it has tidied up."""
    for _ in range(2):
        await client.send("HeapProfiler.collectGarbage")
    return await metrics(client)


async def metrics(client: CDPSession) -> dict[str, float]:
    """What the browser counts of the page; durations are time on a core, in seconds."""
    found: list[dict[str, Any]] = (await client.send("Performance.getMetrics"))["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


async def watch_shifts(page: Page) -> None:
    """From now on the browser notes what moves without the reader's doing."""
    await page.evaluate(
        "() => { window.shifted = []; new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.shifted.push(...entry.sources.map(({ node }) => `${entry.value.toFixed(4)} "
        "${node?.id ?? node?.nodeName}.${node?.className}`)); }).observe({ type: 'layout-shift' }); }"
    )


async def shifts(page: Page) -> list[str]:
    """What has moved, and how much by the browser's score."""
    found: list[str] = await page.evaluate("window.shifted")
    return found[:20]


async def write_changing(writer: Writer, final: Utterance, text: str, committed: int, rev: int | None = None) -> None:
    """What is being said before ``final``, as heard up to ``rev``."""
    await writer.write(
        Partial(
            session_id=SESSION_ID,
            first_sample=final.first_sample,
            rev=rev or final.end_sample,
            start_ms=final.start_ms,
            text=f"{text} the",
            committed=committed,
        )
    )


async def first_in_sight(page: Page) -> str:
    """The id of the first line in sight; ids lie in order of time."""
    found: str = await page.evaluate(
        "() => { const top = document.querySelector('#scroll').getBoundingClientRect().top;"
        " return [...document.querySelectorAll('.row[id]')].find(row => row.getBoundingClientRect().bottom > top).id; }"
    )
    return found


async def number_in_sight(page: Page) -> int:
    """Which utterance that is, counted from 1."""
    sample = int((await first_in_sight(page)).rpartition("-")[2])
    return sample // (16 * EACH_MS) + 1


async def check_rows(page: Page) -> None:
    """The lines are in order, none is missing between them, and there are not too many."""
    texts: list[str] = await page.locator(".rows .row").all_inner_texts()
    assert len(texts) <= MOST_ROWS
    numbers = [int(found[1]) for text in texts if (found := re.search(r"\((\d+)\)", text))]
    assert numbers
    for one, next_one in pairwise(numbers):
        # one of a hundred and fifty has no words, and so no number
        assert next_one == one + 1 or (next_one == one + 2 and (one + 1) % 50 == 0), (one, next_one)


async def focused_time(page: Page) -> str:
    """The time of the line that has the focus."""
    found: str = await page.evaluate(
        "document.activeElement.matches('a.row-time') ? document.activeElement.innerText : ''"
    )
    return found
