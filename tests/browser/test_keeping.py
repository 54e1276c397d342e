"""What the recorder keeps in the browser: its real IndexedDB and its real locks, without a server behind the pages."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.routing import Mount

from dashboards.pages import WEB, Pages
from tests.browser.chromium import browser
from tests.viewing import served
from undertone.headers import SafeHeaders

SEEDS = (1, 2, 3, 4, 5)

AT_RANDOM = """async seed => {
  const { Shelf } = await import("/recorder/shelf.js");
  const { Journal } = await import("/recorder/journal.js");
  const { Outbox } = await import("/recorder/outbox.js");
  const [limit, recording] = [500, { sessionId: `s${seed}`, title: null, tags: [] }];
  const state = { startedAt: 0, isStopping: false, writtenAt: 0 };
  const random = below => (seed = (seed * 48271) % 2147483647) % below;
  // What there is to send: adjacent gaps are one.
  const contents = outbox => {
    const pieces = [];
    for (let at = outbox.acknowledged, piece; (piece = outbox.read(at, 1e9)); at = piece.end) {
      if (!piece.pcm && pieces.at(-1)?.pcm === null) pieces.at(-1).end = piece.end;
      else pieces.push({ ...piece, pcm: piece.pcm && [...piece.pcm] });
    }
    return JSON.stringify([outbox.acknowledged, outbox.nextSample, outbox.keptSamples, pieces]);
  };
  const shelf = await Shelf.open();
  let [outbox, said, mostStored, restarts] = [new Outbox(limit), 0, 0, 0];
  let journal = new Journal(shelf, recording, outbox);
  await journal.write(state);
  for (let step = 0; step < 400; step++) {
    const kind = random(8);
    if (kind < 3) outbox.push(Int16Array.from({ length: 1 + random(60) }, () => said++));
    if (kind === 3) outbox.skip(random(50));
    if (kind === 4) outbox.acknowledge(outbox.acknowledged + random(80));
    if (kind === 5) await journal.write(state);
    if (kind === 6 && random(4) === 0) {
      let piece = outbox.read(outbox.acknowledged, 1e9);
      while (piece?.pcm) piece = outbox.read(piece.end, 1e9);
      if (piece && piece.first >= outbox.oldest) {
        outbox.shorten(piece, piece.end - random(60));
        journal.renumber();
      }
    }
    if (kind === 7) {
      const last = journal.write(state);
      outbox.push(Int16Array.of(-1)); // what comes later is in the next write
      const unheard = outbox;
      await last;
      await journal.write(state, true);
      const { unfinished, pieces } = await shelf.read(recording.sessionId);
      mostStored = Math.max(mostStored, pieces.reduce((sum, { pcm }) => sum + (pcm?.length ?? 0), 0));
      outbox = Outbox.restore(limit, unfinished, pieces);
      const [is, was] = [contents(outbox), contents(unheard)];
      if (is !== was) return `step ${step}: ${is} is not ${was}`;
      if (unfinished.keptSamples !== outbox.keptSamples) return `step ${step}: ${unfinished.keptSamples} kept`;
      journal = new Journal(shelf, recording, outbox);
      restarts += 1;
    }
  }
  await journal.forget();
  await journal.write(state);
  const left = await shelf.read(recording.sessionId);
  return { left, restarts, bounded: mostStored <= 2 * limit };
}"""

BOUNDS = """async now => {
  const { Shelf, MOST_AGE_MS } = await import("/recorder/shelf.js");
  const shelf = await Shelf.open();
  const put = (sessionId, writtenAt) => {
    const pieces = [{ first: 0, end: 2, pcm: Int16Array.of(1, 2) }];
    return shelf.write({ sessionId, writtenAt }, pieces, Infinity);
  };
  for (let n = 0; n < 7; n++) await put(`n${n}`, now - 1000 * n);
  const listed = (await shelf.list(now)).map(({ sessionId }) => sessionId);
  const gone = [await shelf.read("n5"), await shelf.read("n6")];
  const { pieces } = await shelf.read("n4");
  await shelf.forget("n0");
  await put("old", now - MOST_AGE_MS);
  const later = (await shelf.list(now)).map(({ sessionId }) => sessionId);
  return { listed, gone, pcm: [...pieces[0].pcm], later };
}"""

FAILING = """async () => {
  const { Shelf } = await import("/recorder/shelf.js");
  const { Journal } = await import("/recorder/journal.js");
  const { Outbox } = await import("/recorder/outbox.js");
  const state = { startedAt: 0, isStopping: false, writtenAt: 0 };
  const database = await new Promise(resolve => {
    indexedDB.open("undertone.recorder", 1).onsuccess = event => resolve(event.target.result);
  });
  const outbox = new Outbox(1000);
  const journal = new Journal(new Shelf(database), { sessionId: "f" }, outbox);
  outbox.push(Int16Array.of(1));
  database.close(); // as a browser does that is asked to forget this site
  await journal.write(state);
  return journal.isFailing;
}"""

BOUND = """async () => {
  const { begin } = await import("/record/recording.js");
  const microphone = { listen() {}, wake() {}, flush: async () => {}, close: async () => {} };
  const recorder = await begin(null, { sessionId: "bound", writeToken: "", language: null }, microphone);
  const at = Date.now();
  for (let minute = 0; minute < 11; minute++) microphone.onFrame({ pcm: new Int16Array(60 * 16_000), at });
  return recorder.report();
}"""

CLAIM = """async name => {
  const { claim } = await import("/recorder/claim.js");
  return (globalThis.release = await claim(name)) !== null;
}"""


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Some file of the pages: a document of their origin that does nothing by itself."""
    app = SafeHeaders(Starlette(routes=[Mount("/", Pages(directory=WEB, html=True))]))
    async with served(app) as url:
        yield f"{url}/app.css"


async def open_at(chromium: Browser, address: str) -> Page:
    page = await chromium.new_page()
    await page.goto(address)
    return page


async def test_whatever_happens_what_is_restored_is_what_was_written(chromium: Browser, address: str) -> None:
    page = await open_at(chromium, address)
    for seed in SEEDS:
        found = await page.evaluate(AT_RANDOM, seed)
        assert isinstance(found, dict), found
        assert found["restarts"] > 10
        assert found["bounded"]
        assert found["left"] is None


async def test_what_is_kept_is_bounded_in_number_and_age(chromium: Browser, address: str) -> None:
    page = await open_at(chromium, address)
    found = await page.evaluate(BOUNDS, 1_700_000_000_000)
    assert found["listed"] == ["n0", "n1", "n2", "n3", "n4"]
    assert found["gone"] == [None, None]
    assert found["pcm"] == [1, 2]
    assert found["later"] == ["n1", "n2", "n3", "n4"]


async def test_ten_minutes_are_kept_and_what_is_given_up_for_more_is_counted(chromium: Browser, address: str) -> None:
    page = await open_at(chromium, address)
    report = await page.evaluate(BOUND)
    assert (report["lengthMs"], report["keptMs"], report["lostMs"]) == (660_000, 600_000, 60_000)


async def test_a_browser_that_stores_nothing_harms_no_recording(chromium: Browser, address: str) -> None:
    page = await open_at(chromium, address)
    await page.evaluate("import('/recorder/shelf.js').then(({ Shelf }) => Shelf.open()).then(() => null)")
    assert await page.evaluate(FAILING) is True


async def test_one_page_has_a_recording_and_leaves_it_with_its_end(chromium: Browser, address: str) -> None:
    context = await chromium.new_context()
    one, other = await context.new_page(), await context.new_page()
    for page in (one, other):
        await page.goto(address)
    assert await one.evaluate(CLAIM, "a") is True
    assert await other.evaluate(CLAIM, "a") is False
    assert await other.evaluate(CLAIM, "b") is True
    await one.evaluate("release()")
    assert await other.evaluate(CLAIM, "a") is True
    await one.evaluate(CLAIM, "c")
    await one.close()
    assert await other.evaluate(CLAIM, "c") is True
