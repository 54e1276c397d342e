"""Static pages: clean addresses, types that browsers take modules under, and the headers of every answer."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from dashboards.pages import WEB, Pages
from undertone.headers import HEADERS, SafeHeaders


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    for name in (
        "index.html",
        "record.html",
        "app.js",
        "worklet.mjs",
        "recorder/index.html",
        "icons.svg",
        "a.webmanifest",
    ):
        (tmp_path / "web" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "web" / name).write_text(f"this is {name}")
    (tmp_path / "secret.html").write_text("not for the web")
    app = SafeHeaders(Starlette(routes=[Mount("/", Pages(directory=tmp_path / "web", html=True))]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/", "index.html", "text/html"),
        ("/record", "record.html", "text/html"),
        ("/record?id=1", "record.html", "text/html"),
        ("/record.html", "record.html", "text/html"),
        ("/recorder/", "recorder/index.html", "text/html"),
        ("/app.js", "app.js", "text/javascript"),
        ("/worklet.mjs", "worklet.mjs", "text/javascript"),
        ("/icons.svg", "icons.svg", "image/svg+xml"),
        ("/a.webmanifest", "a.webmanifest", "application/manifest+json"),
    ],
)
async def test_files_are_found_and_typed(client: httpx.AsyncClient, path: str, file: str, kind: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, f"this is {file}")
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/nothing.js", "/%2e%2e/secret", "/..%2fsecret.html", "/%00", "//record", "///"]
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"http://test{path}")).status_code == 404


async def test_every_answer_carries_the_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/app.js", "/nothing"):
        answer = await client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'self';")


def test_the_pages_are_packaged() -> None:
    assert (WEB / "index.html").is_file()


def test_all_pages_have_the_same_frame() -> None:
    """They are copies of one another, since nothing builds them: all but the title, the module and where one is."""
    frames = {page.name: frame_of(page) for page in WEB.glob("*.html")}
    assert len(frames) >= 5
    assert len(set(frames.values())) == 1, "\n".join(f"{name}:\n{frame}" for name, frame in frames.items())
    frame = frames["index.html"]
    for part in ("Content-Security-Policy", 'rel="manifest"', 'class="skip"', 'id="language"', 'id="theme"'):
        assert part in frame


def test_a_page_that_the_bar_names_is_marked_there() -> None:
    for address, name in (("./", "index"), ("./history", "history"), ("./record", "record")):
        marked = re.findall(r'<a href="([^"]+)"[^>]* aria-current="page"', (WEB / f"{name}.html").read_text())
        assert marked == [address]


def frame_of(page: Path) -> str:
    """A page without what is its own."""
    text, _, rest = page.read_text(encoding="utf-8").partition("<main ")
    assert rest.partition("</main>")[2] == "\n</body>\n</html>\n"
    text = re.sub(r"<title data-say=.*</title>", "<title>", text)
    text = re.sub(r'src="\./\w+/page.js"', 'src="page.js"', text)
    return text.replace(' aria-current="page"', "")
