"""How well an engine hears: error rates, invented text, loops and cost over manifests of recordings.

    python -m benchmarks.hearing MANIFEST… [--engine NAME] [--against NAME] [--json]
    python -m benchmarks.hearing.loops MANIFEST… [--utterances 1000]
    python -m benchmarks.hearing.invention MANIFEST… [--minutes 10]

A manifest is a JSON list of ``{id, set, path, lang, kind, reference}``, paths relative to it; recordings are of any
length. ``engines`` says what can be measured, ``conditions`` how recordings can be made worse first.
"""

from benchmarks.hearing.scores import normalise as normalise
