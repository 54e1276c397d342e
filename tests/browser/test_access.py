"""The closed way in a browser: logging in and out, what other sites' pages cannot do, and text that stays text."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

import dashboards.app
import ingest_api.app
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.upserts import Sourced, store
from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, from_second, hearing, open_page
from tests.storage_events import session, session_id, utterance
from tests.viewing import served
from tests.waiting import until
from undertone.access.keys import drop_key, make_key
from undertone.access.logins import link_to
from undertone.access.rights import Right
from undertone.audio import SAMPLE_RATE
from undertone.codec import decode_audio
from undertone.events import Event
from undertone.kafka import open_reader, read_to_end
from undertone.local.web import join
from undertone.records import Audio, AudioRecord, Close
from undertone.settings import Settings
from undertone.topics import AUDIO

MARKUP = "<img src=x onerror=\"document.title='broken into'\"><script>document.title='broken into'</script>"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser("--host-resolver-rules=MAP evil.test 127.0.0.1") as running:
        yield running


@dataclass(frozen=True)
class Site:
    """Both sides on one origin, where a session was stored whose words are markup."""

    url: str
    settings: Settings


@pytest.fixture
def access() -> str:
    return "closed"


@pytest.fixture
async def site(topics: Settings, database: str, access: str) -> AsyncIterator[Site]:
    upgrade(database)
    engine = make_engine(database)
    events: list[Event] = [session(state="live", through=160_000, title=MARKUP), utterance(seq=1, text=MARKUP)]
    await store(engine, [Sourced("x", 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()
    settings = topics.model_copy(update={"database": SecretStr(database), "access": access})
    async with served(join(ingest_api.app.make_app(settings), dashboards.app.make_app(settings))) as url:
        yield Site(url, settings)


def link_of(site: Site, query: str = "") -> str:
    return link_to(site.settings, site.url, datetime.now(UTC)).replace("/login#", f"/login{query}#")


async def use_key(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.get_by_role("button", name="Log in").click()


async def test_a_key_opens_what_it_may_and_logging_out_ends_it(site: Site, chromium: Browser) -> None:
    key = make_key(site.settings.keys_file(), "ana", [Right.READ])
    page, _ = await open_page(chromium, site.url)
    await expect(page).to_have_url(f"{site.url}/login")
    await use_key(page, "undertone_wrong")
    await expect(page.get_by_role("alert")).to_contain_text("there is no such API key")
    assert await violations_in_every_look(page) == []
    await use_key(page, key)
    await expect(page).to_have_url(f"{site.url}/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], key in str(cookie)) == (True, "Strict", False)
    await page.goto(f"{site.url}/record")
    await expect(page).to_have_url(f"{site.url}/login?next=%2Frecord")
    await expect(page.locator("#known")).to_contain_text("You are logged in as ana")
    assert await violations_in_every_look(page) == []
    await page.goto(site.url)
    await page.get_by_role("button", name="Log out").click()
    await expect(page).to_have_url(f"{site.url}/login")
    assert await page.context.cookies() == []


async def test_the_owners_link_works_once_and_is_in_no_history(site: Site, chromium: Browser) -> None:
    link = link_of(site, "?next=%2Frecord")
    page, complaints = await open_page(chromium, link)
    await expect(page).to_have_url(f"{site.url}/record")
    await expect(page.get_by_role("button", name="Start recording")).to_be_visible()
    assert complaints == []
    await page.go_back()
    assert "#" not in page.url
    another, _ = await open_page(chromium, link)
    await expect(another.get_by_role("alert")).to_contain_text("the link has been used")
    await another.goto(site.url)
    await expect(another).to_have_url(f"{site.url}/login")


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.test/",
        "//evil.test/",
        "%5C%5Cevil.test",
        "javascript:alert(1)",
        "/.//evil.test/login",
        "/.%5C%5Cevil.test/",
        "/%09/evil.test/",
    ],
)
async def test_a_login_leads_to_no_other_site(site: Site, chromium: Browser, next_: str) -> None:
    page, _ = await open_page(chromium, link_of(site, f"?next={next_}"))
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()
    await until(lambda: urlsplit(page.url).path != "/login", 10, "the login is done")
    assert page.url.startswith(f"{site.url}/")


async def test_a_login_that_ends_leads_back_to_the_login(site: Site, chromium: Browser) -> None:
    file = site.settings.keys_file()
    page, _ = await open_page(chromium, f"{site.url}/login")
    await use_key(page, make_key(file, "ana", [Right.READ]))
    await expect(page).to_have_url(f"{site.url}/")
    file.unlink()
    await page.reload()
    await expect(page).to_have_url(f"{site.url}/login")


async def test_a_login_that_ends_holds_up_no_recording_and_is_asked_for_before_the_next(
    site: Site, speech: Path
) -> None:
    file = site.settings.keys_file()
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{site.url}/login")
        await use_key(page, make_key(file, "ana", [Right.RECORD]))
        await expect(page).to_have_url(f"{site.url}/record")
        status = page.locator("#status")
        await expect(status).to_have_text("Ready")
        drop_key(file, "ana")
        key = make_key(file, "bea", [Right.RECORD])
        await page.get_by_role("button", name="Start recording").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await dialog.get_by_label("API key").fill(key)
        await dialog.get_by_role("button", name="Log in").click()
        await expect(status).to_have_text(re.compile("^Live"))

        drop_key(file, "bea")
        await page.context.set_offline(True)
        await expect(status).to_have_text(re.compile("^Offline"))
        await page.context.set_offline(False)
        await expect(status).to_have_text(re.compile("^Live"), timeout=20_000)
        await expect(page.locator("#time")).to_have_text(from_second(8), timeout=10_000)
        await page.get_by_role("button", name="Stop").click()
        await expect(status).to_have_text(re.compile("^Finishing"))
        assert await dialog.count() == 0

        async def stopped_log() -> list[AudioRecord]:
            async with open_reader(site.settings, [AUDIO]) as consumer:
                log = [decode_audio(each.key, each.value, each.headers) async for each in read_to_end(consumer)]
            return log if isinstance(log[-1], Close) else []

        log = await until(stopped_log, 10, "all that was recorded is in the log, and its end")
        at = 0
        for record in log:
            if isinstance(record, Audio):
                assert record.at <= at  # what was not acknowledged is there twice
                at = max(at, record.end)
        assert at == log[-1].at > 7 * SAMPLE_RATE


async def test_the_history_asks_for_a_login_and_lets_only_an_operator_delete(site: Site, chromium: Browser) -> None:
    file, asked = site.settings.keys_file(), f"{site.url}/history?q=broken"
    for right, may_delete in ((Right.READ, 0), (Right.OPERATE, 1)):
        page, _ = await open_page(chromium, asked)
        await expect(page).to_have_url(f"{site.url}/login?next=%2Fhistory%3Fq%3Dbroken")
        await use_key(page, make_key(file, right.value, [right]))
        await expect(page).to_have_url(asked)
        await expect(page.locator(".hit-text")).to_have_text(MARKUP)
        await expect(page.locator("mark")).to_have_text(["broken", "broken"])
        assert await page.locator("#content img, #content script").count() == 0
        await page.get_by_role("button", name="Export").click()
        await expect(page.get_by_role("link", name="SRT")).to_be_visible()
        await expect(page.get_by_role("button", name="Delete", exact=True)).to_have_count(may_delete)
    await page.context.clear_cookies()
    await page.get_by_role("searchbox").fill("into")
    dialog = page.get_by_role("dialog", name="Your login has ended")
    await expect(dialog.get_by_role("link")).to_have_attribute("href", f"{site.url}/login?next=%2Fhistory%3Fq%3Dinto")
    await use_key(page, make_key(file, "again", [Right.READ]))
    await expect(dialog).to_have_count(0)
    await expect(page.locator("mark")).to_have_text(["into", "into"])


async def test_words_and_titles_with_markup_stay_text(site: Site, chromium: Browser) -> None:
    page, complaints = await open_page(chromium, link_of(site, f"?next=%2Fsession%3Fid%3D{session_id()}"))
    await expect(page.locator("#transcript .row-text")).to_have_text(MARKUP)
    await expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    assert await page.locator("#content img, #content script").count() == 0
    assert "onerror" in await page.title()  # as text
    assert complaints == []
    await page.goto(site.url)
    await expect(page.locator("#live")).to_contain_text(MARKUP)
    assert await page.locator("#content img, #content script").count() == 0


ATTACK = """async (url) => {
  const session = url + "/v1/sessions/01890000-0000-7000-8000-000000000001";
  const reached = [];
  for (const mode of ["cors", "no-cors"]) {
    await fetch(url + "/v1/sessions", { method: "POST", mode, body: "{}" })
      .then((answer) => reached.push(...(answer.ok ? [mode] : [])), () => {});
  }
  await fetch(url + "/v1/sessions", { credentials: "include" })
    .then((answer) => reached.push(...(answer.ok ? ["list"] : [])), () => {});
  await new Promise((done) => {
    const socket = new WebSocket(session.replace("http", "ws") + "/audio");
    socket.onopen = () => { reached.push("socket"); done(); };
    socket.onerror = () => done();
  });
  await new Promise((done) => {
    const source = new EventSource(url + "/v1/events");
    source.onopen = () => { reached.push("events"); done(); };
    source.onerror = () => { source.close(); done(); };
  });
  return reached;
}"""


@pytest.mark.parametrize("access", ["open"])
async def test_a_page_of_another_site_reaches_nothing_of_an_open_instance(site: Site, chromium: Browser) -> None:
    async def answer(_: Any) -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>another site</title>")

    async with served(Starlette(routes=[Route("/", answer)])) as elsewhere:
        page, _ = await open_page(chromium, elsewhere)
        assert await page.evaluate(ATTACK, site.url) == []
    rebound = site.url.replace("127.0.0.1", "evil.test")
    page, _ = await open_page(chromium, "about:blank")
    refused = await page.goto(rebound)
    assert refused
    assert refused.status == 421
    assert await page.evaluate(ATTACK, rebound) == []
    async with open_reader(site.settings, [AUDIO]) as consumer:
        assert [record async for record in read_to_end(consumer)] == []
    ours, _ = await open_page(chromium, site.url)
    assert await ours.evaluate(ATTACK, site.url) == ["cors", "no-cors", "list", "socket", "events"]
