"""What a viewer is sent while nothing and while something happens, without a network."""

from dashboards.hub import Hub
from dashboards.positions import read_position
from dashboards.streams import Pace, live_events
from tests.storage_events import utterance

UTTERANCES = 2


async def test_a_final_that_comes_while_the_last_heartbeat_is_sent_is_not_skipped() -> None:
    hub = Hub(1, (0, 0, 0, 0))
    viewer = hub.attach(None, dict.fromkeys(range(4), 0))
    sending = live_events(hub, viewer, Pace(rotate_s=0.0, rotate_jitter_s=0.0))
    assert (await anext(sending)).event == "heartbeat"
    hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
    (last,) = [sent async for sent in sending]
    assert read_position(str(last.id), 4) == (0, 0, 0, 0)
