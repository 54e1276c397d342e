"""What the session page says of a session's figures, quarters and trend: as stored, in both languages."""

from collections.abc import Sequence

from playwright.async_api import Browser, Page, expect

from dashboards.app import make_app
from storage.engine import make_engine
from storage.upserts import Sourced, store
from stream_apps.windows import apply
from tests.browser.chromium import browser, open_page
from tests.examples import SESSION_ID, mark, utterance
from tests.viewing import served
from undertone.events import Event, Label, Mark, Session, Statistics, Utterance
from undertone.identifiers import session_created_at
from undertone.settings import Settings

SAID: list[tuple[int, int, Label | None, float, str]] = [
    (2_000, 9_000, "negative", -0.8, "I have been waiting for two weeks and nobody told me anything."),
    (11_000, 16_000, "negative", -0.52, "That is really not good enough."),
    (64_000, 71_500, "neutral", 0.03, "Let me see what the system says about your order."),
    (90_000, 95_000, None, 0.0, "Einen Moment, bitte."),
    (186_000, 193_000, "positive", 0.74, "Oh, that is wonderful, thank you."),
    (200_000, 205_000, "positive", 0.9, "You have been a great help."),
    (230_000, 233_000, "neutral", 0.0, "Goodbye."),
]


async def keep(settings: Settings, finals: Sequence[Utterance | Mark], session: Session) -> None:
    """Store a session with its finals, and the windows that the statistician makes of them."""
    events: list[Event] = [session]
    statistics = Statistics(session_id=SESSION_ID)
    for final in finals:
        statistics, windows = apply(statistics, final)
        events += [final, *windows]
    engine = make_engine(settings.database_url())
    await store(engine, [Sourced("test", 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()


async def show(chromium: Browser, address: str, **wishes: object) -> Page:
    """The session's page, once its figures and its quarters are there."""
    page, complaints = await open_page(chromium, f"{address}/session?id={SESSION_ID}", **wishes)
    await expect(page.locator("#facts dt").first).to_be_visible()
    await expect(page.locator("#quarters tr")).to_have_count(4)
    assert complaints == []
    return page


async def test_figures_quarters_and_trend_are_shown_in_words_and_numbers(whole: Settings) -> None:
    finals = [
        utterance(seq, start_ms, end_ms, label, score=score, text=text)
        for seq, (start_ms, end_ms, label, score, text) in enumerate(SAID, 1)
    ]
    end = mark(len(SAID) + 1, 240_000, "stop")
    ended = Session(
        session_id=SESSION_ID,
        state="ended",
        reason="stop",
        seq=end.seq,
        through=end.through,
        title="A delayed order",
        created_at=session_created_at(SESSION_ID),
    )
    await keep(whole, [*finals, end], ended)
    async with served(make_app(whole)) as address, browser() as chromium:
        page = await show(chromium, address)
        assert await facts(page) == {
            "Mean score": "+0.06",
            "Score range": "-0.80 to +0.90",
            "Talk": "0:39 (16\u00a0%)",
            "Longest pause": "1:31",
            "Words per minute": "67",
        }
        assert await rows(page) == [
            ["1 0:00–1:00", "-0.66", "0", "0", "2", "0:12"],
            ["2 1:00–2:00", "+0.03", "0", "1", "0", "0:12"],
            ["3 2:00–3:00", "–not judged", "0", "0", "0", "0:00"],
            ["4 3:00–4:00", "+0.55", "2", "1", "0", "0:15"],
        ]
        await expect(page.locator("#trend")).to_have_text(
            "Trend +1.21: the last quarter is more positive than the first."
        )
        for column, name in enumerate(["Quarter", "Score", "positive", "neutral", "negative", "Talk"]):
            await expect(page.get_by_role("columnheader").nth(column)).to_have_text(name)
        await page.get_by_role("button", name="한국어").click()
        await expect(page.locator("#trend")).to_have_text("추세 +1.21: 마지막 구간이 첫 구간보다 긍정적입니다.")
        await expect(page.locator("#quarters tr").nth(2)).to_contain_text("감정 미분석")
        await expect(page.locator("#facts dd").nth(1)).to_have_text("-0.80 ~ +0.90")
        assert list(await facts(page)) == ["평균 점수", "점수 범위", "말한 시간", "가장 긴 침묵", "분당 단어 수"]
        for width in (360, 820, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            assert await page.evaluate(
                "(() => { const [table, panel] = ['.quarters', '.figures'].map(name => document.querySelector(name)"
                ".getBoundingClientRect()); return table.right <= panel.right; })()"
            ), width


async def test_before_anything_is_judged_there_are_no_scores_and_no_trend(whole: Settings) -> None:
    live = Session(
        session_id=SESSION_ID, state="live", seq=2, through=20 * 16_000, created_at=session_created_at(SESSION_ID)
    )
    await keep(whole, [utterance(1, 1_000, 6_000, None), mark(2, 20_000)], live)
    async with served(make_app(whole)) as address, browser() as chromium:
        page = await show(chromium, address)
        assert list(await facts(page)) == ["Talk", "Longest pause", "Words per minute"]
        await expect(page.locator("#trend")).to_have_text(
            "No trend: the first or the last quarter has no judged words."
        )


async def rows(page: Page) -> list[list[str]]:
    """The cells of the table of quarters, with what is there for those who cannot see it."""
    return [await row.locator("th, td").all_text_contents() for row in await page.locator("#quarters tr").all()]


async def facts(page: Page) -> dict[str, str]:
    """The terms of the list of facts, and what it says of them."""
    names = await page.locator("#facts dt").all_inner_texts()
    return dict(zip(names, await page.locator("#facts dd").all_inner_texts(), strict=True))
