"""The peers by name."""

from benchmarks.capacity.systems import Start
from benchmarks.peers.whisperlive import running_whisperlive
from benchmarks.peers.whisperlivekit import running_agreement, running_whisperlivekit

PEERS: dict[str, Start] = {
    "whisperlive": running_whisperlive,
    "whisperlivekit": running_whisperlivekit,
    "whisperlivekit-agreement": running_agreement,
}
