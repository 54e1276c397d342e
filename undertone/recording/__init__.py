"""Recordings in files, decoded to the one audio format.

``reader`` is what the other parts use: it decodes a file in a process of its own (``worker``). That process runs
``decoder`` (the whole file and its verdict), ``silence`` (what need not be sent) and ``messages`` (its answers), and
ends at ``limits``. ``decoder`` finds the recordings in the file (``formats``, with ``riff``, ``ebml``, ``ogg`` and
``mp3``) and decodes each with PyAV (``part_decoder``): one of its ``tracks``, on its ``timeline``, mixed to ``mono``;
``stated`` tells if it is truncated. Nothing here imports PyAV into the process that asks.
"""
