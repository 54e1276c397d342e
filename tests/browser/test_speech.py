"""The main road in a real browser: speak on one page, watch on another, and find it all in the history."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import httpx
import psycopg
from playwright.async_api import Page, expect

from tests.browser.axe import violations, violations_in_every_look
from tests.browser.chromium import browser, from_second, hearing, open_page
from tests.browser.microphone import PLEASED, SAD, write_speech
from tests.browser.platform import Platform
from tests.docs.tables import document
from tests.recomputation import check_windows
from tests.waiting import until

SPOKEN_MS = 40_000
FINISHED_MS = 30_000


async def test_speech_is_seen_live_and_found_again(platform: Platform, speech: Path) -> None:
    async with browser(*hearing(speech)) as chromium:
        unseen, _ = await open_page(chromium, platform.url)
        await expect(unseen.locator("#live-loading")).to_be_hidden()
        await _show(unseen, hidden=True)
        recorder, complaints = await open_page(chromium, f"{platform.url}/record")
        await recorder.get_by_label("Title").fill("Two sentences")
        await recorder.get_by_label("Spoken language").select_option("en")
        await recorder.get_by_role("button", name="Start recording").click()
        await expect(recorder.locator("#status")).to_have_text(re.compile(r"^Live, [\d.]+\ss behind$"))
        assert await violations_in_every_look(recorder) == []

        link = await recorder.locator("#watch").input_value()
        watcher, more_complaints = await open_page(chromium, link)
        await expect(watcher.locator("#state")).to_have_text("live")
        await expect(watcher.locator(".row", has_text=PLEASED)).to_be_visible(timeout=SPOKEN_MS)
        await expect(watcher.locator(".row", has_text=PLEASED).locator(".chip")).to_have_text("positive")
        await expect(recorder.locator(".row", has_text=PLEASED).locator(".chip")).to_have_text("positive")
        await expect(watcher.locator(".row", has_text=SAD).locator(".chip")).to_have_text("negative", timeout=SPOKEN_MS)
        await expect(recorder.locator("#status")).to_have_text(re.compile("^Live"))

        home, home_complaints = await open_page(chromium, platform.url)
        await expect(home.locator(".card", has_text="Two sentences")).to_be_visible()
        await expect(unseen.locator(".card", has_text="Two sentences")).to_have_count(0)
        await _show(unseen, hidden=False)
        await expect(unseen.locator(".card", has_text="Two sentences")).to_be_visible()

        await recorder.get_by_role("button", name="Stop").click()
        await expect(recorder.locator("#status")).to_have_text(re.compile("^Finished"), timeout=FINISHED_MS)
        assert await violations_in_every_look(recorder) == []
        await expect(watcher.locator("#state")).to_have_text("ended")
        await expect(home.locator(".card", has_text="Two sentences")).to_have_count(0)
        await expect(watcher.locator("#time-line svg")).to_be_visible()
        shown = await watcher.locator(".row-text").all_inner_texts()
        totals = await watcher.locator("#totals").inner_text()
        assert await recorder.locator(".row-text").all_inner_texts() == shown

        session_id = _session_of(link)
        await until(lambda: _get(platform, f"/v1/sessions/{session_id}")["state"] == "ended", 20)
        utterances = _get(platform, f"/v1/sessions/{session_id}/utterances")["utterances"]
        assert [utterance["text"] for utterance in utterances if utterance["text"]] == shown
        _check_rows(platform, session_id, utterances)
        windows = await _windows(platform, session_id)
        whole = next(window for window in windows if window["size_ms"] == 0)
        assert totals == _line(whole)
        assert _get(platform, f"/v1/sessions/{session_id}/statistics")["whole"] == whole
        await expect(watcher.locator("#quarters tr")).to_have_count(4)

        past, past_complaints = await open_page(chromium, platform.url)
        await past.get_by_role("link", name="History").click()
        entry = past.locator(".entry", has_text="Two sentences")
        await expect(entry.locator(".count-negative")).to_contain_text("1")
        await past.get_by_role("searchbox").fill(SAD)
        await expect(entry.locator("mark")).to_have_text(SAD)
        await entry.locator(".hit").click()
        await expect(past.locator(".row[aria-current]")).to_contain_text(SAD)
        await expect(past.locator(".row")).to_have_count(len(shown))
        assert await past.locator(".row-text").all_inner_texts() == shown
        await expect(past.locator("#totals")).to_have_text(totals)
        assert [*complaints, *more_complaints, *past_complaints, *home_complaints] == []


async def test_the_client_in_the_documents_records_waits_and_reads(platform: Platform, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", document("docs/http.md"), re.DOTALL)
    assert len(code.splitlines()) < 40
    client = tmp_path / "client.py"
    client.write_text(code, encoding="utf-8")
    wav = write_speech(tmp_path / "speech.wav", rate=16_000)
    command = (sys.executable, str(client), platform.url, "any", str(wav))
    running = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    async with asyncio.timeout(90):
        printed = (await running.communicate())[0].decode()
    assert running.returncode == 0, printed
    first, *_, last = printed.splitlines()
    assert re.match(rf" +\d\.\d s  positive .*{PLEASED}", first)
    assert re.match(rf" +\d+\.\d s  negative .*{SAD}", last)


async def test_a_restart_of_the_web_loses_nothing(platform: Platform, speech: Path) -> None:
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record")
        await page.get_by_label("Spoken language").select_option("en")
        await page.get_by_role("button", name="Start recording").click()
        await expect(page.locator("#status")).to_have_text(re.compile("^Live"))
        watcher, _ = await open_page(chromium, await page.locator("#watch").input_value())
        await expect(page.locator("#time")).to_have_text(from_second(4), timeout=10_000)
        platform.part("serve", "all").kill()
        await expect(page.locator("#status")).to_have_text(re.compile(r"^Offline: keeping [\d.]+\ss$"))
        assert await violations(page) == []
        await expect(page.locator("#status")).to_have_text(re.compile("^Live"), timeout=60_000)
        await expect(page.locator(".row", has_text=SAD)).to_be_visible(timeout=SPOKEN_MS)
        await expect(page.locator(".row", has_text=PLEASED)).to_be_visible()
        await expect(watcher.locator(".row", has_text=SAD)).to_be_visible(timeout=SPOKEN_MS)
        await expect(watcher.locator("#notice")).to_be_hidden()
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#status")).to_have_text(re.compile("^Finished"), timeout=FINISHED_MS)
        session_id = _session_of(await page.locator("#watch").input_value())
        await until(lambda: _get(platform, f"/v1/sessions/{session_id}")["state"] == "ended", 20)
        texts = [each["text"] for each in _get(platform, f"/v1/sessions/{session_id}/utterances")["utterances"]]
        assert "\n".join(texts).count(PLEASED) == 1
        assert "\n".join(texts).count(SAD) == 1


async def test_a_pause_is_silence_in_the_session_and_its_words_are_not_held_back(
    platform: Platform, speech: Path
) -> None:
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record")
        await page.get_by_label("Spoken language").select_option("en")
        await page.get_by_role("button", name="Start recording").click()
        await expect(page.locator(".partial")).to_be_visible(timeout=SPOKEN_MS)
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("#status")).to_have_text("Paused")
        await expect(page.locator(".row")).to_have_count(1, timeout=SPOKEN_MS)
        assert await violations_in_every_look(page) == []
        before = await page.locator("#time").inner_text()
        await expect(page.locator("#time")).not_to_have_text(before)
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator("#status")).to_have_text(re.compile("^Live"))
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#status")).to_have_text(re.compile("^Finished"), timeout=FINISHED_MS)


async def _show(page: Page, *, hidden: bool) -> None:
    """Tells a page that its tab has come in sight, or gone: a browser without a screen shows all of them."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def _session_of(link: str) -> str:
    return httpx.URL(link).params["id"]


def _get(platform: Platform, path: str) -> Any:
    answer = httpx.get(platform.url + path)
    return answer.raise_for_status().json()


def _line(counts: dict[str, int]) -> str:
    total = counts["positive"] + counts["neutral"] + counts["negative"]
    moods = ("positive", "neutral", "negative")
    return " / ".join(
        f"{mood.capitalize()}: {counts[mood]} ({round(100 * counts[mood] / total)}\u00a0%)" for mood in moods
    )


def _check_rows(platform: Platform, session_id: str, utterances: list[dict[str, Any]]) -> None:
    """PostgreSQL holds the utterances that REST returns."""
    with psycopg.connect(platform.database) as connection:
        query = "SELECT utterance_id, text, label FROM utterances WHERE session_id = %s ORDER BY first_sample"
        rows = connection.execute(query, (session_id,)).fetchall()
    labels = [each["sentiment"]["label"] if each["sentiment"] else None for each in utterances]
    assert rows == [(each["utterance_id"], each["text"], label) for each, label in zip(utterances, labels, strict=True)]


async def _windows(platform: Platform, session_id: str) -> list[dict[str, Any]]:
    """The session's windows, once all are final; they are the stored ones, and those equal what SQL computes."""

    def all_final() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _get(platform, f"/v1/sessions/{session_id}/windows")["windows"]
        assert found
        assert all(window["final"] for window in found)
        return found

    windows = await until(all_final, 20)
    assert {window["size_ms"] for window in windows} == {0, 10_000, 60_000}
    assert windows == [window.model_dump(mode="json") for window in await check_windows(platform.database, session_id)]
    return windows
