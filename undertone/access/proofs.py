"""Proofs of a server that it knows a secret, for a client that knows the same one and has shown nothing yet.

A client sends the name of the secret and a nonce. The server signs the nonce together with the origins at which it is
reached. A program that listens on another port and passes the question on gets an answer that names the wrong port.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from undertone import tokens
from undertone.errors import Refusal

LIFETIME = timedelta(minutes=5)
NONCE_CHARACTERS = (16, 64)


def make_proof(secret: str, nonce: str, origins: Collection[str], now: datetime) -> str:
    """A server's answer to a client's nonce."""
    claims = {"sub": "server", "nonce": nonce, "origins": sorted(origins)}
    return tokens.sign(secret, "proof", claims, now, LIFETIME)


def proven_origins(secret: str, nonce: str, proof: str) -> frozenset[str]:
    """The origins at which the server that answered is reached; none if the answer proves nothing."""
    try:
        claims = tokens.read([secret], "proof", proof)
    except Refusal:
        return frozenset()
    origins = claims.get("origins")
    if claims.get("nonce") != nonce or not isinstance(origins, list):
        return frozenset()
    return frozenset(map(str, origins))
