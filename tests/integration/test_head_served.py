"""HEAD at the routes of the web as it is served, with and without a login, and pages where there are none."""

import httpx
import pytest

from dashboards.rights import NEEDS
from tests.integration.test_access_served import SESSION, Serve, serve
from undertone.access.keys import make_key
from undertone.access.rights import Right

__all__ = ["serve"]

FILES = ["/record", "/app.css", "/shared/events.js", "/nowhere", "/v1/nowhere"]
UTTERANCE = f"{SESSION}-000000000000"
CHANGING = {"date", "content-length", "etag"}
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


async def test_head_is_answered_wherever_get_is(serve: Serve) -> None:
    paths = [path for method, path in NEEDS if method == "GET"]
    async with serve() as web, httpx.AsyncClient(base_url=web.url, timeout=30) as http:
        key = make_key(web.settings.keys_file(), "ana", [Right.READ])
        asked: list[tuple[str, dict[str, str]]] = [
            (path.format(session_id=SESSION, utterance_id=UTTERANCE), {}) for path in (*paths, *FILES)
        ]
        allowed = [
            (path, {"Authorization": f"Bearer {key}"}) for path in ("/v1/login", "/v1/search", "/v1/sessions?limit=x")
        ]
        for address, shown in (*asked, *allowed):
            got, head = await http.get(address, headers=shown), await http.head(address, headers=shown)
            assert (head.status_code, head.content) == (got.status_code, b""), address
            assert set(head.headers) == set(got.headers), address
            for name in set(head.headers) - CHANGING:
                assert head.headers[name] == got.headers[name], (address, name)


@pytest.mark.parametrize(
    ("path", "up"),
    [("/nowhere", "./"), ("/no/where", "../"), ("/a/b/c/", "../../../"), ("/nothing.html", "./"), ("/x%2Fy", "./")],
)
async def test_an_unknown_address_is_a_page_for_browsers_and_json_for_programs(
    serve: Serve, path: str, up: str
) -> None:
    async with serve() as web, httpx.AsyncClient(base_url=web.url) as http:
        page = await http.get(path, headers={"accept": BROWSER})
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        assert "content-security-policy" in page.headers
        assert f'href="{up}app.css"' in page.text
        assert (await http.get(httpx.URL(web.url + path).join(f"{up}app.css"))).status_code == 200
        told = await http.get(path)
        assert (told.status_code, told.json()["code"]) == (404, "address_unknown")


async def test_the_api_and_what_a_page_loads_have_no_such_page(serve: Serve) -> None:
    async with serve() as web, httpx.AsyncClient(base_url=web.url, headers={"accept": BROWSER}) as http:
        for path in ("/v1/nowhere", "/v1", "/v1/"):
            assert (await http.get(path)).json()["code"] == "address_unknown"
        told = await http.get("/nowhere.js", headers={"accept": "*/*"})
        assert told.json()["code"] == "address_unknown"
        assert (await http.post("/record")).json()["code"] == "method_unknown"


async def test_a_page_with_a_slash_behind_it_leads_to_itself(serve: Serve) -> None:
    async with serve() as web, httpx.AsyncClient(base_url=web.url) as http:
        led = await http.get("/record/?a=b")
        assert (led.status_code, led.headers["location"]) == (308, "../record?a=b")
