"""The write side: takes audio from recorders and writes it to Kafka, and needs nothing else.

``app`` puts the parts together. ``messages`` and ``connection`` are the protocol as pure values; ``websocket``,
``sessions`` and ``files`` adapt it to the wire; ``publishers`` writes to Kafka, ``follower`` reads back what became of
it. Errors are ``undertone.errors.Refusal`` everywhere; docs/http.md lists their codes.
"""
