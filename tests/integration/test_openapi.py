"""Both sides keep to what their OpenAPI says, whatever is asked of them: real apps, real Kafka, real PostgreSQL."""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Ok, Result
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboards.app import make_app
from dashboards.clip import wav
from dashboards.streams import Pace
from ingest_api import sessions as ingest_sessions
from storage.migrations import upgrade
from tests.ingest_serving import serve_ingest
from tests.storage_events import mark, session, session_id, utterance, window
from tests.viewing import Writer, served
from undertone.events import AudioSpan
from undertone.kafka import open_publisher
from undertone.records import Audio
from undertone.settings import Settings

# schemathesis draws some of its wrong values so
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

SEED = 20260101
EXAMPLES = 40
Operation: TypeAlias = "APIOperation[Any, Any, Any, Any]"
KEPT = [status_code_conformance, content_type_conformance, response_schema_conformance]


@dataclass(frozen=True)
class Known:
    """A session that there is, with a token of it or without, and words that were said in it."""

    session_id: str
    token: str | None
    utterance_id: str = ""


def recording() -> bytes:
    """A second of a WAV."""
    return wav(bytes(32_000))


CHUNKS = st.builds(
    lambda at, pcm: struct.pack("<Q", at) + pcm, st.sampled_from([0, 160, 1600, 2**63]), st.binary(max_size=700)
)
PATH = "POST /v1/sessions/{session_id}"
PLAIN: dict[str, dict[str, Any]] = {
    "POST /v1/sessions": {"body": {}},
    f"{PATH}/audio": {"body": struct.pack("<Q", 0) + bytes(640), "media_type": "application/octet-stream"},
    f"{PATH}/file": {"body": recording(), "media_type": "application/octet-stream"},
    f"{PATH}/stop": {"query": {"next_sample": 0}},
}
BODIES = {"/audio": CHUNKS, "/file": st.sampled_from([recording(), recording()[:900], b""])}


def attack(url: str, make_known: Callable[[], list[Known]]) -> Counter[tuple[str, int]]:
    """Ask every operation all kinds of things; what was answered how often. Raises where an answer is none of those.

    Each operation is asked about sessions of its own, by their first the plain way before all others: what one does to
    a session (stop, delete) is not to hide what another says.
    """
    answered: Counter[tuple[str, int]] = Counter()
    with requests.Session() as http:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for operation in sorted(map(_ok, schema.get_all_operations()), key=lambda one: one.method == "delete"):
            bodies = next((body for end, body in BODIES.items() if operation.path.endswith(end)), st.nothing())
            _ask_all_kinds(operation, make_known(), bodies, http, answered)
    return answered


def _ok(found: Result[Operation, InvalidSchema]) -> Operation:
    assert isinstance(found, Ok), found
    return found.ok()


def _ask_all_kinds(
    operation: Operation,
    known: list[Known],
    bodies: st.SearchStrategy[bytes],
    http: requests.Session,
    answered: Counter[tuple[str, int]],
) -> None:
    modes = [operation.as_strategy(mode) for mode in GenerationMode]

    def ask(case: Case[Any]) -> None:
        answer = case.call(session=http, timeout=30, allow_redirects=False)
        answered[operation.label, answer.status_code] += 1
        assert answer.status_code < 500, answer.text
        # OpenAPI 3.1 has a word for a stream as a whole, a string, and none for one event of it.
        is_stream = any("text/event-stream" in kind for kind in answer.headers.get("content-type", ()))
        case.validate_response(answer, checks=KEPT[:2] if is_stream else KEPT)

    @seed(SEED)
    @examples(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(modes), st.sampled_from([None, *known]), st.one_of(st.none(), bodies))
    def ask_all(case: Case[Any], one: Known | None, body: bytes | None) -> None:
        if one is not None:
            _name(case, one)
        if body is not None:
            case.body = body
        ask(case)

    plain = operation.Case(path_parameters={"session_id": "", "utterance_id": ""}, **PLAIN.get(operation.label, {}))
    _name(plain, known[0])
    ask(plain)
    ask_all()


def _name(case: Case[Any], one: Known) -> None:
    if isinstance(case.path_parameters, dict) and "session_id" in case.path_parameters:
        case.path_parameters["session_id"] = one.session_id
        if "utterance_id" in case.path_parameters:
            case.path_parameters["utterance_id"] = one.utterance_id or "none"
    query: dict[str, Any] = case.query if isinstance(case.query, dict) else {}
    shown = {} if one.token is None else {"token": one.token}
    case.query = {name: value for name, value in query.items() if name != "token"} | shown


async def test_the_write_side_keeps_to_its_openapi(topics: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_sessions, "STOP_WITHIN_S", 0.1)
    async with serve_ingest(topics) as running:

        def make_known() -> list[Known]:
            made = [requests.post(f"{running.url}/v1/sessions", timeout=30).json() for _ in range(3)]
            known = [Known(one["session_id"], one["write_token"]) for one in made]
            return [*known, Known(known[0].session_id, None)]

        answered = await asyncio.to_thread(attack, running.url, make_known)
    for reached in (("POST /v1/sessions", 201), (f"{PATH}/audio", 200), (f"{PATH}/file", 200), (f"{PATH}/stop", 202)):
        assert answered[reached] > 0, f"{reached} was never answered: {answered}"


async def test_the_read_side_keeps_to_its_openapi(topics: Settings, database: str, tmp_path: Path) -> None:
    upgrade(database)
    whole = topics.model_copy(update={"database": SecretStr(database)})
    pace = Pace(rotate_s=0.0, rotate_jitter_s=0.0, catch_up_s=0.1)
    async with open_publisher(whole) as publisher, served(make_app(whole, pace)) as address:
        writer = Writer(publisher, whole)
        offset = await publisher.publish_audio(Audio(session_id(), "a", 0, bytes(64_000)))
        span = AudioSpan(partition=0, first_offset=offset, last_offset=offset)
        heard = utterance(audio=span)
        await writer.write(session(tags=("a",)), session(2), heard, utterance(seq=2), utterance(seq=3))
        await writer.write(window(seq=1), window(size_ms=0, seq=3), mark(seq=4, through=400_000))
        await writer.archive()
        known = [Known(session_id(), None, heard.utterance_id), Known(session_id(2), None)]
        answered = await asyncio.to_thread(attack, address, lambda: known)
    reached = {label for label, status in answered if status == 200}
    # A proof needs the name of a secret, which is not drawn: tests/integration/test_other_users.py asks for one.
    assert reached == {label for label, _ in answered} - {"GET /v1/login/proof"}, answered
