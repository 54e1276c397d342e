"""Captions on the terminal, from the real read side over wires that are cut."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.migrations import upgrade
from tests.storage_events import session, session_id, utterance, window
from tests.viewing import served
from tests.waiting import until
from tests.wires import cuttable
from undertone.captions import follow_captions
from undertone.events import Quality, Utterance, Window
from undertone.kafka import open_publisher
from undertone.session_keys import SessionKeys
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import SESSIONS, UTTERANCES, WINDOWS

INVENTED = Quality(no_speech_probability=0.9, avg_logprob=-2, compression_ratio=1, suppressed="no_speech")


async def test_each_utterance_that_counts_is_shown_once(topics: Settings, database: str) -> None:
    upgrade(database)
    settings = topics.model_copy(update={"database": SecretStr(database)})
    name = session_id()
    keys = SessionKeys(name, "", make_token(settings.signing_key(), name, "read", datetime.now(UTC), 1))
    shown, counted = list[Utterance](), list[Window]()
    async with (
        open_publisher(settings) as publisher,
        served(make_app(settings)) as address,
        cuttable(address) as (url, cut),
    ):

        async def say(*utterances: Utterance) -> None:
            for each in utterances:
                await publisher.publish(UTTERANCES, name, each, each.utterance_id)

        await publisher.publish(SESSIONS, name, session())
        following = asyncio.create_task(follow_captions(url, keys, shown.append, counted.append))
        await say(utterance(seq=1), utterance(2, seq=1), utterance(seq=2, quality=INVENTED))
        await until(lambda: len(shown) == 1, 20)
        cut()
        await say(utterance(seq=3))
        await publisher.publish(WINDOWS, name, window(seq=3), f"{name}-10000-0")
        await publisher.publish(WINDOWS, name, window(size_ms=0, seq=3, final=True), f"{name}-0-0")
        await until(lambda: len(shown) == 2 and counted, 20)
        assert not following.done()
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
    assert shown == [utterance(seq=1), utterance(seq=3)]
    assert counted == [window(size_ms=0, seq=3, final=True)]
