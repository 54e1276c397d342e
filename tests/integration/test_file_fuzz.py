"""File upload on a real server: whatever comes is a session or a documented refusal, and the server goes on."""

import random
from collections import Counter

from tests.bombs import BOMBS
from tests.contract.test_recording_fuzz import MAGICS, documented, good
from tests.ingest_serving import heard, read_log, serve_ingest
from tests.recordings import CODECS
from undertone.settings import Settings

UPLOADS = 80
LONG = {"eight channels of silence"}  # taken, at the pace of a transcriber


def make_body(dice: random.Random) -> bytes:
    """Random bytes behind a true beginning, or a recording that was cut, overwritten or lies about its lengths."""
    if dice.random() < 0.3:
        return dice.choice([b"", *MAGICS]) + dice.randbytes(dice.randrange(2000))
    data = bytearray(good(dice.choice(sorted(CODECS))))
    for _ in range(dice.randrange(4)):
        at = dice.choice([dice.randrange(80), dice.randrange(len(data))])
        data[at : at + 4] = dice.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", dice.randbytes(4)])
    return bytes(data[: dice.choice([len(data), dice.randrange(1, len(data))])])


async def test_whatever_is_uploaded_is_a_session_or_a_documented_refusal(topics: Settings) -> None:
    dice, answers = random.Random(7), Counter[int]()
    bodies = [make_body(dice) for _ in range(UPLOADS)] + [data for name, data in BOMBS.items() if name not in LONG]
    async with serve_ingest(topics) as served:
        made = await served.make()
        for body in bodies:
            path = f"/v1/sessions/{made.session_id}/file"
            answer = await served.http.post(path, content=body, params={"token": made.write_token})
            answers[answer.status_code] += 1
            assert answer.status_code < 500, body[:80]
            if answer.status_code == 200:
                log = await read_log(topics, made.session_id)
                assert len(heard(log)[0]) == 2 * answer.json()["samples"]
                made = await served.make()
            else:
                assert answer.json()["code"] in documented()
        assert len(await read_log(topics, made.session_id)) == 1  # its opening: refused files have left nothing
        assert (await served.http.get("/readyz")).status_code == 200
    assert answers[200] > 10
    assert answers[415] > 10
    assert answers[422] > 1  # truncated files are taken
