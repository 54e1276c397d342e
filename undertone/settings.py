"""Every setting, read once at the edge and passed down. ``UNDERTONE_HOME`` sets ``home``, and so on."""

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from undertone.audio import LONGEST_HOURS
from undertone.errors import FatalError

MAX_PARTITIONS = 64
"""Each of the 100,000 events that a dashboards process keeps has a cursor of 5 topics × partitions offsets, 8 bytes
each: 4 MB for each partition, so 256 MB with this many. Keep it in step with docs/operating.md."""


class Settings(BaseSettings):
    """All of Undertone's settings. The descriptions are the documentation (a test compares docs/settings.md)."""

    model_config = SettingsConfigDict(
        env_prefix="UNDERTONE_", env_ignore_empty=True, frozen=True, extra="ignore", validate_default=True
    )

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("undertone", appauthor=False)),
        description="Folder of all state on this machine: embedded Kafka and PostgreSQL, logs, the secret.",
    )
    cache: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("undertone", appauthor=False)),
        description="Folder of downloads (weights, jars); may be deleted at any time.",
    )
    host: str = Field("127.0.0.1", description="Address that the web listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the web listens on.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@]+(/[^?#]*)?$",
        description="Where people reach the web, as in https://undertone.example.org or "
        "https://example.org/undertone, if something stands in front. A path is taken away by what stands in front.",
    )
    proxies: str | None = Field(
        None,
        description="Addresses or networks, between commas, of the proxies that say who asks (`X-Forwarded-For`); "
        "`*` for whoever connects. Unset: nobody is believed.",
    )
    sessions_per_minute: int = Field(60, ge=1, description="Sessions that one key, and one address, may make.")
    streams_per_address: int = Field(
        100,
        ge=1,
        description="Audio WebSockets that one address may have open, and streams of events; of connections ten times "
        "as many.",
    )
    health_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's /healthz, /readyz and /metrics; 0 for none."
    )
    health_host: str = Field("127.0.0.1", description="Address of a worker's health port.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    kafka: str | None = Field(
        None, description="Kafka brokers as host:port,host:port. Unset: `undertone up` runs one embedded."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka security protocol."
    )
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, where the security protocol has SASL."
    )
    kafka_user: str | None = Field(None, description="SASL user.")
    kafka_password: SecretStr | None = Field(None, description="SASL password.")
    kafka_ca: Path | None = Field(None, description="PEM file of the authority that signed the brokers' certificates.")
    topic_prefix: str = Field("undertone", description="Prefix of every topic and consumer group.")
    partitions: int = Field(8, ge=1, description="Partitions of every topic, at most 64; fixed once topics exist.")
    replication: int = Field(1, ge=1, description="Replicas of every topic.")
    audio_retention_hours: int = Field(24, ge=1, description="How long audio is kept (`undertone up`: 168).")
    session_timeout_ms: int = Field(
        10_000,
        ge=1000,
        description="A worker away for longer loses its partitions, and exits when it finds out.",
    )
    poison_limit: int = Field(
        20,
        ge=1,
        description="So many records in a row of one partition that cannot be processed stop a worker; it acknowledges "
        "none of them.",
    )
    worker_id: str | None = Field(
        None,
        description="Name of one worker process in its Kafka group; a restart under the same name goes on at once. "
        "No two processes of an app may share it. Unset: a restarted worker waits for the session time-out.",
    )
    database: SecretStr | None = Field(
        None,
        description="PostgreSQL as postgresql://user:password@host:port/name. Unset: `up` runs one embedded.",
    )

    secret: SecretStr | None = Field(
        None,
        description="Signs session tokens and logins, at least 32 characters. Unset: `up` keeps one in its home.",
    )
    secret_before: SecretStr | None = Field(
        None, description="The secret before this one: what it signed is still taken, nothing is signed with it."
    )
    access: Literal["closed", "open"] = Field(
        "closed",
        description="`closed`: each request needs its right. `open`, for development on a loopback address alone: "
        "whoever shows nothing may do everything, without limits.",
    )
    keys: Path | None = Field(
        None, description="File of the API keys that `undertone keys` looks after. Unset: `keys` in the home."
    )
    key: SecretStr | None = Field(
        None,
        description="API key that the command line shows to a server. Unset: to a server on this machine it shows "
        "that it can read the home's secret.",
    )
    token_hours: int = Field(
        24, ge=1, le=LONGEST_HOURS, description="How long a session's tokens are valid; a session is no longer."
    )
    login_hours: int = Field(168, ge=1, description="How long a login of the pages is valid.")
    viewer_timeout_s: int = Field(
        30, ge=1, description="A viewer, or any other client of the web, that takes nothing for so long is closed."
    )
    text_retention_days: int | None = Field(
        None,
        ge=1,
        description="How many days text and statistics are kept, counted from when their session was made. Unset: in "
        "the history for ever, in the log for as long as topics.md says.",
    )
    idle_after_s: int = Field(120, ge=1, description="A session that is silent on the wire for so long ends.")
    refuse_above_s: float = Field(
        10.0,
        ge=0,
        description="New sessions are refused once the transcribers need so many seconds for what waits; 0: never.",
    )
    admit_below_s: float = Field(
        3.0, ge=0, description="They are taken again once the transcribers need less than this for what waits."
    )
    unheard_minutes: float = Field(
        60.0,
        gt=0,
        description="While no transcriber is alive, new sessions are taken until so many minutes of audio wait.",
    )
    file_megabytes: int = Field(200, ge=1, description="Largest file that POST .../file takes.")

    whisper_model: str = Field("base", description="Whisper weights: a name from `undertone models list` or a folder.")
    whisper_engine: Literal["faster-whisper", "openai-whisper"] = Field(
        "faster-whisper", description="What runs Whisper; `openai-whisper` needs the extra `torch`."
    )
    whisper_device: Literal["cpu", "cuda"] = Field("cpu", description="Where Whisper runs.")
    whisper_compute: str = Field("int8", description="Compute type of `faster-whisper`; `openai-whisper` has its own.")
    whisper_replicas: int | None = Field(None, ge=1, description="Decoders side by side; unset: as many as cores.")
    sentiment_model: str = Field(
        "shipped",
        description="Sentiment engines between spaces; the first that knows a language judges it: `shipped` (trained "
        "models, English and Korean), `vader` (a lexicon, English), `hf:owner/name@commit` (a model of the Hugging "
        "Face hub) or a folder. Models of the hub, and folders without a `card.json`, need the extra `torch`; "
        "`[de,fr]` behind one says its languages, else its card does.",
    )
    sentiment_device: Literal["cpu", "cuda"] = Field(
        "cpu", description="Where models of the Hugging Face hub run; the others run on the CPU."
    )
    endpoint_ms: int = Field(1000, ge=200, le=5000, description="Silence that ends an utterance.")
    partials: bool = Field(True, description="Whether text is shown while it still changes.")

    @field_validator("home", "cache", "kafka_ca", "keys")
    @classmethod
    def _has_no_tilde(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            return path.expanduser()
        except RuntimeError:
            raise ValueError(f"nobody knows which folder {path.parts[0]} is: write the whole path") from None

    @field_validator("partitions")
    @classmethod
    def _fit_into_memory(cls, partitions: int) -> int:
        if partitions > MAX_PARTITIONS:
            raise ValueError(
                f"{partitions} are too many: the event cursors of a dashboards process would take "
                f"{partitions * 4} MB. At most {MAX_PARTITIONS} are supported, which is as many workers of a stage"
            )
        return partitions

    @field_validator("text_retention_days")
    @classmethod
    def _outlives_sessions(cls, days: int | None, given: ValidationInfo) -> int | None:
        hours = given.data.get("token_hours", 0)
        if days is not None and days * 24 < hours:
            raise ValueError(f"a session may go on for the {hours} hours of UNDERTONE_TOKEN_HOURS: keep text as long")
        return days

    def path_prefix(self) -> str:
        """The path of the public URL, without a slash at its end; empty where there is none."""
        return urlsplit(self.public_url or "").path.rstrip("/")

    def brokers(self) -> str:
        """The brokers, or a ``FatalError`` that says which setting is missing."""
        if self.kafka is None:
            raise FatalError("no Kafka is set: set UNDERTONE_KAFKA=host:port, or run all of it with `undertone up`")
        return self.kafka

    def database_url(self) -> str:
        """The database, or a ``FatalError`` that says which setting is missing."""
        if self.database is None:
            raise FatalError(
                "no PostgreSQL is set: set UNDERTONE_DATABASE=postgresql://user:password@host:port/name, "
                "or run all of it with `undertone up`"
            )
        return self.database.get_secret_value()

    def signing_key(self) -> str:
        """The secret, or a ``FatalError`` that says how to make one."""
        if self.secret is None or len(self.secret.get_secret_value()) < 32:
            raise FatalError(
                "no usable UNDERTONE_SECRET is set: it signs session tokens and needs at least 32 characters; "
                "make one with `openssl rand -hex 32` and give every web part the same"
            )
        return self.secret.get_secret_value()

    def checking_keys(self) -> tuple[str, ...]:
        """The secrets whose signatures are taken: the one that signs, and the one before. Raises as ``signing_key``."""
        before = self.secret_before.get_secret_value() if self.secret_before else ""
        return (self.signing_key(), before) if before else (self.signing_key(),)

    def keys_file(self) -> Path:
        """Where the API keys stand; there need be no such file."""
        return self.keys or self.home / "keys"

    def replicas(self) -> int:
        """How many decoders run side by side."""
        return self.whisper_replicas or os.cpu_count() or 1


def read_settings(**given: object) -> Settings:
    """Settings from the environment, ``given`` ones first. Raises ``FatalError`` naming each wrong variable."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except RuntimeError as error:
        raise FatalError(
            "this user has no home folder: set HOME, or UNDERTONE_HOME and UNDERTONE_CACHE to folders of its own"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(f"UNDERTONE_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise FatalError(f"settings are wrong: {wrong} (docs/settings.md lists them)") from error
