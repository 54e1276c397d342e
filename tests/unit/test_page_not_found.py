"""The page for unknown addresses does not grow with the address."""

import httpx
import pytest

from dashboards.pages import MOST_SLASHES, WEB, Pages


@pytest.mark.parametrize(
    "path", ["/a" * (MOST_SLASHES + 1), "/a" * 10_000, "/" + "a/" * 10_000, "/a" + "/" * 10_000], ids=len
)
async def test_deep_addresses_get_no_page(path: str) -> None:
    transport = httpx.ASGITransport(Pages(directory=WEB, html=True), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        shallow = await client.get("/a" * MOST_SLASHES, headers={"accept": "text/html"})
        deep = await client.get(path, headers={"accept": "text/html"})
    assert shallow.headers["content-type"].startswith("text/html")
    assert len(deep.content) < len(shallow.content)
