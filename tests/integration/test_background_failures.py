"""A web part whose background task ends by itself ends too, with a message and a status that its supervisor sees."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from tests.serving import WebProcess
from undertone.local.parts import EndedError
from undertone.settings import Settings


@pytest.mark.parametrize("part", ["ingest", "dashboards", "all"])
async def test_it_ends_with_a_message(part: Literal["ingest", "dashboards", "all"], tmp_path: Path) -> None:
    """The file of the certificates is missing, which no Kafka that comes back will mend."""
    settings = Settings(
        home=tmp_path / "home",
        kafka="127.0.0.1:1",
        database=SecretStr("postgresql://nobody@127.0.0.1:1/nothing"),
        secret=SecretStr("a-secret-of-this-test-alone-and-no-other"),
    )
    missing = str(tmp_path / "missing.pem")
    process = WebProcess(part, settings, tmp_path, UNDERTONE_KAFKA_SECURITY="SSL", UNDERTONE_KAFKA_CA=missing)
    try:
        with pytest.raises(EndedError, match=r"background task `(follow|write)") as ended:
            async with asyncio.timeout(60):
                await process.start()
        assert ended.value.status == 1
    finally:
        await process.stop(5)
