"""A certificate for 127.0.0.1 that is its own authority, made by openssl."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate, which is also the authority to check it with, and its key."""

    certificate: Path
    key: Path

    def both(self) -> Path:
        """One file of both, as Kafka wants them."""
        path = self.key.with_name("both.pem")
        path.write_text(self.key.read_text() + self.certificate.read_text())
        return path

    def server_context(self) -> ssl.SSLContext:
        """For a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(folder: Path) -> Certificate:
    """A fresh one, valid for a day. Fails where openssl is not installed, and says so."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(made.key), "-out", str(made.certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError as error:
        raise AssertionError("this test makes certificates with openssl: install it") from error
    return made
