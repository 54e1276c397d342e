"""The route by which a server proves that it knows a secret; both sides have it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from undertone.access.guard import Guard
from undertone.access.proofs import NONCE_CHARACTERS, make_proof
from undertone.errors import Refusal

_LEAST, _MOST = NONCE_CHARACTERS


class Proof(BaseModel):
    """A token that the secret signs, of the nonce and of the origins at which this server is reached."""

    proof: str


def proof_routes(guard: Guard) -> APIRouter:
    """The route of this module; ``guard`` knows the secrets."""
    router = APIRouter(tags=["login"])

    @router.get("/v1/login/proof", summary="Proves that this server knows a secret")
    async def prove(
        request: Request,
        name: Annotated[str, Query(min_length=32, max_length=32, description="the public name of the secret")],
        nonce: Annotated[str, Query(min_length=_LEAST, max_length=_MOST, description="random text of the client")],
    ) -> Proof:
        secret = guard.logins.secret_named(name)
        if secret is None:
            raise Refusal("proof_unknown", "this server knows no secret of that name: it is not yours", status=404)
        return Proof(proof=make_proof(secret, nonce, guard.origins(request), datetime.now(UTC)))

    return router
