"""Recordings in files, decoded to the one audio format.

``reader`` is what the other parts use: it decodes a file in a process of its own (``worker``). That process runs
``decoder`` (formats and verdicts, with PyAV), ``silence`` (what need not be sent) and ``messages`` (its answers), and
ends at ``limits``. Nothing here imports PyAV into the process that asks.
"""
