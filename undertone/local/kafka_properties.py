"""The configuration file of the embedded Kafka: its settings as pure values, and the format of .properties files."""

from collections.abc import Mapping

from undertone.local.ports import LOOPBACK
from undertone.topics import BATCH_BYTES, MAX_RECORD_BYTES

USER = "undertone"
LOG_FOLDER = "log"
"""Relative to the folder that the broker runs in: Kafka splits a list of folders at commas."""
_NODE = "1"
_LISTENERS = ("BROKER", "CONTROLLER")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def server_properties(port: int, controller_port: int, password: str, overrides: Mapping[str, str]) -> dict[str, str]:
    """The broker's settings; ``overrides`` win.

    Both listeners ask for the password (SASL/PLAIN). The credentials are part of these settings, so that a home that
    was formatted before Kafka asked for any needs no conversion.
    """
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{USER}" password="{password}" user_{USER}="{password}";'
    )
    logins = {f"listener.name.{name.lower()}.plain.sasl.jaas.config": login for name in _LISTENERS}
    return {
        "process.roles": "broker,controller",
        "node.id": _NODE,
        "controller.quorum.voters": f"{_NODE}@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        **logins,
        "log.dirs": LOG_FOLDER,
        "auto.create.topics.enable": "false",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "message.max.bytes": str(MAX_RECORD_BYTES + BATCH_BYTES),
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",  # what a start after SIGKILL waits for
        **overrides,
    }


def render(properties: Mapping[str, str]) -> str:
    """The text of a .properties file that Java reads back as these values: ASCII, whatever is in them.

    Names are ours and need no escapes.
    """
    return "".join(f"{name}={_escape(value)}\n" for name, value in properties.items())


def _escape(value: str) -> str:
    escaped = value.translate(_ESCAPES)
    if escaped.startswith(" "):
        escaped = f"\\{escaped}"
    units = (int.from_bytes(pair, "big") for pair in _pairs(escaped.encode("utf-16-be")))
    return "".join(chr(unit) if unit < 0x80 else f"\\u{unit:04x}" for unit in units)


def _pairs(units: bytes) -> list[bytes]:
    return [units[at : at + 2] for at in range(0, len(units), 2)]
