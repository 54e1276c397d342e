"""Logging in and out of the pages, with an API key or with a link that the owner's command printed."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from ingest_api.bodies import read_body
from ingest_api.messages import describe
from undertone.access.guard import Guard
from undertone.access.quotas import Quotas
from undertone.errors import Refusal
from undertone.openapi import json_body, problems

MAX_JSON_BYTES = 4096


class Credential(BaseModel):
    """The body of ``POST /v1/login``: one of the two."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    key: SecretStr | None = None
    link: SecretStr | None = None


def login_routes(guard: Guard, quotas: Quotas) -> APIRouter:
    """The routes of this module; ``guard`` knows the logins."""
    router = APIRouter(prefix="/v1/login", tags=["login"])

    @router.post(
        "",
        status_code=204,
        summary="Log in: sets a cookie",
        dependencies=[Depends(quotas.for_login)],
        responses=problems(400, 408, 413, 429),
        openapi_extra=json_body(Credential),
    )
    async def log_in(request: Request) -> Response:
        given = parse_credential(await read_body(request, MAX_JSON_BYTES))
        now = datetime.now(UTC)
        if given.key is not None:
            login = guard.logins.login_by_key(given.key.get_secret_value(), now)
        elif given.link is not None:
            login = guard.logins.login_by_link(given.link.get_secret_value(), guard.origins(request), now)
        else:
            raise Refusal("request_invalid", "the request is wrong: it has neither key nor link", status=422)
        return guard.with_cookie(Response(status_code=204), login)

    @router.delete("", status_code=204, summary="Log out: takes the cookie away")
    async def log_out() -> Response:
        return guard.with_cookie(Response(status_code=204), None)

    return router


def parse_credential(body: bytes) -> Credential:
    """What somebody logs in with. Raises ``Refusal``, which does not repeat what was sent."""
    try:
        return Credential.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise Refusal("request_invalid", f"the request is wrong: {describe(error)}", status=422) from error
