"""How well sentiment is judged: VADER, the shipped models and any other, side by side on labelled text.

    python -m benchmarks.sentiment FILE.tsv… [--model NAME]… [--language en] [--column NAME] [--json]
    python -m benchmarks.sentiment.aloud FILE.tsv --out OUT.tsv [--rows 300] [--seed 1] [--language en]

The first judges files, the second reads one aloud and writes down what Undertone heard, for the first to judge.
"""
