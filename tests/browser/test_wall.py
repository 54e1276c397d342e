"""The wall of live sessions in a real browser: who is live, in which order, at rest under a hand, and in trouble."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from playwright.async_api import Browser, Page, Route, expect

import dashboards.app
import ingest_api.app
from dashboards.streams import Pace
from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, open_page
from tests.browser.crowd import CROSS, Speaker, gather
from tests.browser.long_session import keep
from tests.serving import running_web
from tests.viewing import Writer, served
from tests.waiting import until
from undertone.access.keys import make_key
from undertone.access.logins import link_to
from undertone.access.rights import Right
from undertone.events import Event
from undertone.local.web import join
from undertone.settings import Settings

SOON = Pace(rotate_s=1.0, rotate_jitter_s=0.0)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running_browser:
        yield running_browser


@asynccontextmanager
async def wall_of(
    settings: Settings, chromium: Browser, speakers: list[Speaker], query: str = "", **wishes: object
) -> AsyncIterator[tuple[Page, list[str]]]:
    """The wall with these, who have spoken for five minutes."""
    await keep(settings, [event for speaker in speakers for event in speaker.speak(60)])
    async with served(dashboards.app.make_app(settings)) as address:
        page, complaints = await open_page(chromium, f"{address}/{query}", **wishes)
        await expect(page.locator(".card").first).to_be_visible()
        yield page, complaints


def card(page: Page, speaker: Speaker) -> str:
    return f".card[data-session='{speaker.session_id}']"


async def places(page: Page, speakers: list[Speaker]) -> list[object]:
    """Where their cards lie."""
    rectangle = "card => JSON.stringify(card.getBoundingClientRect())"
    return [await page.locator(card(page, speaker)).evaluate(rectangle) for speaker in speakers]


@contextmanager
def out_of_reach(settings: Settings) -> Iterator[None]:
    """The database lets nobody in for the block."""
    url, _, name = settings.database_url().rpartition("/")
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


async def let_pass(page: Page, ms: int) -> None:
    """So much time, by the page's clock."""
    now: float = await page.evaluate("performance.now()")
    await page.wait_for_function("due => performance.now() > due", arg=now + ms)


async def until_due(page: Page) -> None:
    """Until cards that nobody points at would have been arranged anew."""
    await let_pass(page, 3500)


async def order(page: Page) -> list[str]:
    """The sessions as they stand on the wall."""
    found: list[str] = await page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.session)")
    return found


async def test_who_is_live_what_they_say_and_how_they_stand(whole: Settings, writer: Writer, chromium: Browser) -> None:
    speakers = gather(10)
    pleased, cross, _, korean, falling, untitled, late, *_ = speakers
    async with wall_of(whole, chromium, speakers) as (page, complaints):
        needy = [speakers[8], cross, falling, late]
        assert (await order(page))[:4] == [speaker.session_id for speaker in needy]
        first = page.locator(card(page, cross))
        await expect(first.get_by_role("heading", name="Returns desk")).to_be_visible()
        await expect(first.locator(".card-facts")).to_have_text("Englishsupport")
        await expect(first.locator(".card-words")).to_have_text(CROSS[2])
        await expect(first.locator(".chip")).to_have_text("negative")
        await expect(first.locator(".card-need")).to_have_text("Needs attention: low mood.")
        await expect(first.locator(".meta")).to_have_text("5:00")
        assert await first.locator("path.time-negative").get_attribute("d")
        await expect(page.locator(card(page, falling)).locator(".chip")).to_have_text("negativefalling")
        await expect(page.locator(card(page, late)).locator(".card-need")).to_have_text("Needs attention: words late.")
        await expect(page.locator(card(page, late)).locator(".card-pace")).to_have_text("7.4 s behind")
        await expect(page.locator(card(page, pleased)).locator(".card-need")).to_be_hidden()
        await expect(page.locator(card(page, untitled)).get_by_role("heading")).to_have_text("Untitled session")
        await expect(page.locator("#count")).to_have_text("10 live")
        await expect(page.locator("#said")).to_have_text("utterances: 600")
        await expect(page.locator("#needy")).to_have_text("need attention: 4")
        assert await page.title() == "(4) Live now · Undertone"
        await writer.write(korean.changing(0.5))
        await expect(page.locator(card(page, korean)).locator(".card-words")).to_have_text(korean.changing(0.5).text)

        await page.get_by_label("Order").select_option(label="Newest first")
        await expect(page.locator(".card").first).to_have_attribute("data-session", speakers[-1].session_id)
        assert await order(page) == sorted((each.session_id for each in speakers), reverse=True)
        await page.get_by_label("Tag").select_option("support")
        await expect(page.locator("#count")).to_have_text("2 of 10 live")
        await expect(page.locator("#said")).to_have_text("utterances: 120")
        assert await order(page) == [cross.session_id, pleased.session_id]
        await page.reload()
        await expect(page.locator("#count")).to_have_text("2 of 10 live")
        await page.get_by_label("Language").select_option(label="Korean")
        await expect(page.locator(".card")).to_have_count(0)
        await expect(page.locator("#live-unmatched")).to_contain_text("has this tag and this language")
        await page.get_by_role("button", name="Show all of them").click()
        await expect(page.locator(".card")).to_have_count(10)
        await page.get_by_role("button", name="한국어").click()
        await expect(page.locator(card(page, korean)).locator(".card-language")).to_have_text("한국어")
        await expect(page.locator(card(page, cross)).locator(".card-pace")).to_have_text("1.2초 지연")
        await page.get_by_role("link", name="Returns desk").click()
        await expect(page).to_have_url(re.compile(f"/session.id={cross.session_id}$"))
        assert complaints == []


async def test_cards_keep_their_places_under_a_hand_and_are_arranged_when_it_is_gone(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    *speakers, new = [Speaker(each.session_id, [0.5], title=f"speaker {n}") for n, each in enumerate(gather(7))]
    async with wall_of(whole, chromium, speakers, viewport={"width": 1280, "height": 1200}) as (page, complaints):
        before = await order(page)
        await page.locator(".card").evaluate_all("cards => cards.forEach(card => (card.isTheSame = true))")
        await page.locator(card(page, speakers[3])).hover()
        lay = await places(page, speakers)
        cross, over = speakers[0], speakers[4]
        cross.scores = [-0.9]
        await writer.write(*cross.speak(20), *over.end(), new.session(), new.changing())
        await expect(page.locator(card(page, cross)).locator(".chip")).to_have_text("negativefalling")
        await expect(page.locator(card(page, over)).locator(".card-pace")).to_have_text("ended")
        await expect(page.locator(card(page, new))).to_be_visible()
        await expect(page.locator("#count")).to_have_text("6 live")
        await until_due(page)
        assert await order(page) == [*before, new.session_id]
        assert await places(page, speakers) == lay
        await page.mouse.move(5, 5)
        await expect(page.locator(card(page, over))).to_have_count(0)
        assert (await order(page))[:2] == [cross.session_id, new.session_id]
        assert len(await order(page)) == 6
        assert await page.locator(".card").evaluate_all("cards => cards.filter(card => card.isTheSame).length") == 5
        await page.get_by_role("link", name="speaker 2").focus()
        speakers[1].scores = [-0.9]
        await writer.write(*speakers[1].speak(20))
        await expect(page.locator(card(page, speakers[1])).locator(".card-need")).to_be_visible()
        await until_due(page)
        assert (await order(page))[1] == new.session_id
        assert complaints == []


async def test_a_card_is_touched_only_when_it_changed_and_is_in_sight(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    speakers = gather(30)
    async with wall_of(whole, chromium, speakers, "?sort=newest", viewport={"width": 800, "height": 600}) as (page, _):
        first, last = page.locator(card(page, speakers[-1])), page.locator(card(page, speakers[0]))
        before = await last.locator(".card-words").text_content()
        await page.evaluate(
            """() => {
              window.touched = [];
              const cardOf = ({ target }) => (target.nodeType === 1 ? target : target.parentElement).closest(".card");
              const note = (records) => touched.push(...records.map((record) => cardOf(record).dataset.session));
              const wanted = { attributes: true, characterData: true, childList: true, subtree: true };
              for (const card of document.querySelectorAll(".card")) new MutationObserver(note).observe(card, wanted);
            }"""
        )
        await writer.write(speakers[0].changing())
        for share in (0.5, 1.0):
            partial = speakers[-1].changing(share)
            await writer.write(partial)
            await expect(first.locator(".card-words")).to_have_text(partial.text)
            await let_pass(page, 1200)  # once a second all are looked at
        assert set(await page.evaluate("touched")) == {speakers[-1].session_id}
        assert await last.locator(".card-words").text_content() == before != speakers[0].changing().text
        await last.scroll_into_view_if_needed()
        await expect(last.locator(".card-words")).to_have_text(speakers[0].changing().text)


async def test_cards_are_arranged_every_three_seconds_at_most(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    speakers = [Speaker(each.session_id, [0.5]) for each in gather(5)]
    async with wall_of(whole, chromium, speakers) as (page, _):
        await page.evaluate(
            """() => {
              window.arranged = [];
              const note = () => arranged.push(performance.now());
              new MutationObserver(note).observe(document.querySelector("#live"), { childList: true });
            }"""
        )
        for speaker in speakers[:3]:  # each comes to the front
            speaker.scores = [-0.9]
            await writer.write(*speaker.speak(20))
            await expect(page.locator(".card").first).to_have_attribute("data-session", speaker.session_id)
        times: list[float] = await page.evaluate("arranged")
        assert len(times) >= 3
        assert all(later - earlier >= 2900 for earlier, later in pairwise(times)), times


async def test_who_is_not_heard_is_told_but_not_while_the_page_hears_nothing(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    silent, speaks = speakers = [Speaker(each.session_id, [0.5]) for each in gather(2)]
    await keep(whole, [event for speaker in speakers for event in speaker.speak(60)])
    async with served(dashboards.app.make_app(whole)) as address:
        context = await chromium.new_context(locale="en-US")
        page = await context.new_page()
        await page.clock.install()
        await page.goto(address)
        await expect(page.locator(".card")).to_have_count(2)
        await page.clock.fast_forward(30_000)
        await let_pass(page, 1500)
        await expect(page.locator(".card-need:visible")).to_have_count(0)
        await writer.write(*speaks.speak())
        await expect(page.locator(card(page, silent)).locator(".card-need")).to_have_text(
            "Needs attention: nothing received."
        )
        await expect(page.locator(card(page, silent)).locator(".card-pace")).to_contain_text("nothing received for 0:3")
        await expect(page.locator(card(page, speaks)).locator(".card-need")).to_be_hidden()
        await writer.write(*silent.speak())
        await expect(page.locator(card(page, silent)).locator(".card-need")).to_be_hidden()
        await expect(page.locator(card(page, silent)).locator(".card-pace")).to_have_text("1.2 s behind")


async def test_without_the_history_those_who_speak_are_shown_and_the_others_when_it_is_back(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    stored, new = speakers = gather(2)
    await keep(whole, stored.speak(3))
    async with served(dashboards.app.make_app(whole)) as address:
        with out_of_reach(whole):
            await writer.write(*new.speak(2))
            page, _ = await open_page(chromium, address)
            await expect(page.locator("#notice")).to_contain_text("The history cannot be reached at the moment.")
            await expect(page.locator("#count")).to_have_text("1 live")
        await expect(page.locator("#count")).to_have_text("2 live", timeout=40_000)
        await expect(page.locator("#notice")).to_be_hidden()
        assert sorted(await order(page)) == [speaker.session_id for speaker in speakers]


async def test_what_has_the_focus_keeps_it_in_a_new_order(whole: Settings, chromium: Browser) -> None:
    async with served(dashboards.app.make_app(whole)) as address:
        page, _ = await open_page(chromium, address)
        placed = await page.evaluate(
            """async () => {
              const { place } = await import("/live/placing.js");
              const list = document.querySelector("#live");
              const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((name) => {
                const item = document.createElement("li");
                item.append(Object.assign(document.createElement("button"), { textContent: name }));
                return item;
              });
              list.append(a, b, c, d);
              const found = [];
              for (const [focused, wanted] of [[c, [d, c, e, b, a]], [a, [a, b, c, d, e]], [e, [e, a, b, c, d]]]) {
                focused.firstChild.focus();
                place(list, wanted);
                found.push(list.textContent, document.activeElement.textContent);
              }
              return found;
            }"""
        )
        assert placed == ["dceba", "c", "abcde", "a", "eabcd", "e"]


async def test_after_a_restart_and_a_reset_exactly_what_is_live_is_there_once(
    whole: Settings, writer: Writer, chromium: Browser, tmp_path: Path
) -> None:
    speakers = gather(8)
    stays, ends, *others = speakers[:6]
    await keep(whole, [event for speaker in speakers[:6] for event in speaker.speak(10)])

    async def check(*live: Speaker) -> None:
        async def shown() -> bool:
            return sorted(await order(page)) == sorted(speaker.session_id for speaker in live)

        await expect(page.locator("#count")).to_have_text(f"{len(live)} live", timeout=30_000)
        await expect(page.locator("#notice")).to_be_hidden()
        await until(shown, 10)
        await expect(page.locator("#said")).to_have_text(f"utterances: {sum(speaker.said for speaker in live)}")

    async def forget(route: Route) -> None:
        await route.continue_(url=re.sub("last_event_id=[^&]*", "last_event_id=of-another-log", route.request.url))

    async with running_web("dashboards", whole, tmp_path) as web:
        page, _ = await open_page(chromium, web.address)
        await check(*speakers[:6])
        web.child.kill()
        await expect(page.locator("#notice")).to_contain_text("Connection lost", timeout=30_000)
        await expect(page.locator("body")).to_have_class("is-cut-off")
        await writer.write(*ends.end(), *stays.speak(3), *speakers[6].speak(2))
        await web.start()
        await check(stays, *others, speakers[6])

        await page.route(re.compile("last_event_id"), forget)
        web.child.kill()
        await writer.write(*others[0].end(), *speakers[7].speak(1))
        await writer.archive()
        async with page.expect_request(lambda request: "last_event_id" in request.url, timeout=30_000):
            await web.start()
        await check(stays, *others[1:], speakers[6], speakers[7])
        await expect(page.locator(card(page, stays)).locator(".meta")).to_have_text("1:05")


async def test_nobody_live_and_a_server_that_does_not_answer(whole: Settings, chromium: Browser) -> None:
    async with served(dashboards.app.make_app(whole)) as address:
        page, _ = await open_page(chromium, address)
        await expect(page.locator("#live-none")).to_contain_text("Nobody is speaking at the moment.")
        await expect(page.get_by_role("link", name="Record something")).to_be_visible()
        await expect(page.locator("#totals")).to_be_hidden()
        await page.route("**/v1/events*", lambda route: route.abort())
        await page.reload()
        await expect(page.locator("#notice")).to_have_text("The server does not answer. Trying again …")
        await expect(page.locator("#live-none")).to_be_hidden()
        await expect(page.locator("#live-loading")).to_be_hidden()
        await page.unroute("**/v1/events*")
        await expect(page.locator("#notice")).to_be_hidden(timeout=20_000)
        await expect(page.locator("#live-none")).to_be_visible()


async def test_a_login_that_ends_is_asked_for_over_the_page_which_goes_on(
    whole: Settings, writer: Writer, chromium: Browser
) -> None:
    settings = whole.model_copy(update={"access": "closed"})
    one, other, third = gather(3)
    await keep(whole, one.speak(10))
    both = join(ingest_api.app.make_app(settings), dashboards.app.make_app(settings, SOON))
    async with served(both) as address:
        page, _ = await open_page(chromium, f"{address}/login?next=%2F%3Fsort%3Dnewest")
        key = make_key(settings.keys_file(), "ana", [Right.READ])
        await page.get_by_label("API key").fill(key)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator(".card")).to_have_count(1)
        session = await page.context.new_page()
        await session.goto(f"{address}/session?id={one.session_id}")
        await expect(session.locator(".row")).to_have_count(10)
        for each in (page, session):
            await each.evaluate("window.isTheSame = true")

        settings.keys_file().unlink()
        for each in (page, session):
            dialog = each.get_by_role("dialog", name="Your login has ended")
            await expect(dialog).to_be_visible(timeout=20_000)
            for _ in range(3):  # a browser lets nothing forbid the second one
                await each.keyboard.press("Escape")
            await expect(dialog).to_be_visible()
            assert await each.evaluate("document.querySelector('dialog').matches(':modal')")
        assert await violations_in_every_look(page) == []
        await expect(page.get_by_role("link", name="To the login page instead")).to_have_attribute(
            "href", f"{address}/login?next=%2F%3Fsort%3Dnewest"
        )
        await writer.write(*other.speak(1), *one.speak(1))
        await page.get_by_label("API key").fill(make_key(settings.keys_file(), "recorder", [Right.RECORD]))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That key may not see this page. Use another one.")
        await page.get_by_label("API key").fill(make_key(settings.keys_file(), "ana", [Right.READ]))
        await page.keyboard.press("Enter")
        await expect(page.locator(".card")).to_have_count(2, timeout=20_000)
        await expect(session.locator(".row")).to_have_count(11, timeout=20_000)  # it is the same login
        for each in (page, session):
            await expect(each.get_by_role("dialog")).to_have_count(0)

        settings.keys_file().unlink()
        await expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)
        owner = await page.context.new_page()
        await owner.goto(link_to(settings, address, datetime.now(UTC)))
        await expect(owner.locator(".card")).to_have_count(2)
        await expect(page.get_by_role("dialog")).to_have_count(0, timeout=20_000)
        await writer.write(*third.speak(1))
        await expect(page.locator(".card")).to_have_count(3, timeout=20_000)
        for each in (page, session):
            assert await each.evaluate("window.isTheSame")


async def test_axe_finds_nothing_wrong_with_thirty_sessions(whole: Settings, writer: Writer, chromium: Browser) -> None:
    speakers = gather(30)
    async with wall_of(whole, chromium, speakers) as (page, complaints):
        await expect(page.locator(".card")).to_have_count(30)
        over: list[Event] = speakers[3].end()
        await page.locator(".card").nth(1).hover()
        await writer.write(*over)
        await expect(page.locator("[data-over]")).to_have_count(1)
        await page.locator(".about summary").click()
        assert await violations_in_every_look(page) == []
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await violations_in_every_look(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
