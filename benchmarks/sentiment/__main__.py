"""Figures of sentiment models on labelled text, side by side.

    python -m benchmarks.sentiment FILE.tsv… [--model NAME]… [--language en] [--column NAME]
        [--spoken] [--json]

A file is tab-separated with a header (UTF-8, plain or .gz), has the columns ``label`` (negative, neutral or positive)
and ``text``, and any others. Names of models are those of UNDERTONE_SENTIMENT_MODEL: ``vader``, ``shipped``,
``hf:owner/name@revision``; without any, VADER and the shipped models. The engines are measured alone, without the
rules of routing; a model that does not know a file's language is left out, and that is said.

``ECE`` is the expected calibration error. Times are those of a thread of its own, one text at a time and warm; the
median is also quoted as a multiple of VADER's on the same texts in the same run. Each model after the first is compared
with the first. Of a file that ``benchmarks.sentiment.aloud`` wrote, what was heard, what of that the classifier would
judge (``trusted``) and what was read (``original``) are all judged, and the loss by mis-hearing is what the first two
are less than the last. ``--column`` judges one column alone. ``--spoken`` judges the text in the form of a transcript
heard without error (``models.training.spoken``) beside the text as it is (``original``).
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.hearing.tables import show_table
from benchmarks.sentiment.judges import Cost, Judge, judge, load_judges
from benchmarks.sentiment.scores import Score, are_right, difference, score
from benchmarks.sentiment.texts import (
    HEARD,
    SPOKEN,
    TRUSTED,
    WRITTEN,
    Columns,
    Text,
    guess_language,
    read_columns,
    write_out_all,
)
from models.sentiment.engines import SentimentEngine
from models.sentiment.vader_engine import VaderEngine
from undertone.errors import FatalError, UndertoneError
from undertone.settings import read_settings


@dataclass(frozen=True, slots=True)
class Material:
    """One file, its columns of text and their language."""

    path: Path
    columns: Columns
    language: str
    guessed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One model on one column of a file; ``times_vader`` is its median time over VADER's."""

    name: str
    model: str
    score: Score
    cost: Cost
    times_vader: float
    right: list[bool]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentiment", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--model", action="append", dest="models", metavar="NAME", help="may be repeated")
    parser.add_argument("--language", help="of all files; without it Hangul is Korean and anything else English")
    parser.add_argument("--column", help="the column of text; without it text, and what else aloud wrote")
    parser.add_argument("--spoken", action="store_true", help="the text as a transcript too, with what that costs")
    parser.add_argument("--json", action="store_true", help="with what each label was taken for")
    return parser.parse_args(arguments)


def read(path: Path, given: argparse.Namespace) -> Material:
    """A file as it is to be judged."""
    columns = read_columns(path, [given.column] if given.column else [HEARD, TRUSTED, WRITTEN])
    written = columns.get(WRITTEN) or next(iter(columns.values()))
    language = given.language or guess_language(one.text for one in written)
    if given.spoken:
        columns = {SPOKEN: write_out_all(written, language), WRITTEN: written}
    return Material(path, columns, language, guessed=given.language is None)


def choose(judges: Sequence[Judge], material: Material) -> dict[str, SentimentEngine]:
    """The engines that know the language, by the name they were asked for. Raises ``FatalError`` if there are none."""
    engines = {one.name: one.engine_for(material.language) for one in judges}
    known = {name: engine for name, engine in engines.items() if engine is not None}
    if not known:
        raise FatalError(
            f"none of {', '.join(engines)} knows the language of {material.path}, {material.language}: name another "
            "with --model, or the language with --language"
        )
    return known


def measure(engines: dict[str, SentimentEngine], texts: Sequence[Text]) -> list[Result]:
    """The figures of every engine."""
    labels, strings = [one.label for one in texts], [one.text for one in texts]
    vader = VaderEngine()
    usual = judge(vader, strings)
    results = []
    for name, engine in engines.items():
        verdict = usual if engine.name == vader.name else judge(engine, strings)
        times_vader = round(verdict.cost.median_ms / usual.cost.median_ms, 2)
        right = are_right(labels, verdict.judgements)
        results.append(
            Result(name, engine.name, score(labels, verdict.judgements), verdict.cost, times_vader, right),
        )
    return results


def report(material: Material, judges: Sequence[Judge], engines: dict[str, SentimentEngine]) -> dict[str, Any]:
    """All that was measured on one file, as JSON has it."""
    results = {column: measure(engines, texts) for column, texts in material.columns.items()}
    return {
        "file": str(material.path),
        "language": material.language,
        "guessed": material.guessed,
        "left_out": [one.name for one in judges if one.name not in engines],
        "columns": [
            {
                "column": column,
                "models": [
                    {
                        "name": one.name,
                        "model": one.model,
                        **asdict(one.score),
                        **asdict(one.cost),
                        "times_vader": one.times_vader,
                    }
                    for one in found
                ],
                "differences": [
                    {"one": one.name, "less": found[0].name, **asdict(difference(one.right, found[0].right))}
                    for one in found[1:]
                ],
            }
            for column, found in results.items()
        ],
        "losses": [
            {"name": heard.name, "column": column, **asdict(difference(heard.right, written.right))}
            for column in results
            if column != WRITTEN
            for heard, written in zip(results[column], results.get(WRITTEN, []), strict=False)
        ],
    }


def run(given: argparse.Namespace) -> list[dict[str, Any]]:
    """All that was measured. Raises ``FatalError`` for a file or model that is none, before anything is judged."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch reads it when it is loaded, with the models that need it
    materials = [read(path, given) for path in given.files]
    judges = load_judges(given.models or ["vader", "shipped"], read_settings().cache)
    engines = [choose(judges, material) for material in materials]
    return [report(material, judges, chosen) for material, chosen in zip(materials, engines, strict=True)]


def show(files: Sequence[dict[str, Any]]) -> None:
    """Print the tables."""
    for one in files:
        print(f"\n{one['file']}: language {one['language']} ({'guessed' if one['guessed'] else 'given'})")
        if one["left_out"]:
            print(f"left out, not knowing it: {', '.join(one['left_out'])}")
        show_table([row(column["column"], model) for column in one["columns"] for model in column["models"]])
        for column in one["columns"]:
            for apart in column["differences"]:
                print(f"{column['column']}: accuracy of {apart['one']} less {apart['less']}: {interval(apart)}")
        for loss in one["losses"]:
            print(f"accuracy of {loss['name']} on {loss['column']} less {WRITTEN}: {interval(loss)}")


def row(column: str, model: dict[str, Any]) -> dict[str, Any]:
    """One line of a table."""
    return {
        "column": column,
        "model": model["model"],
        "rows": model["rows"],
        "judged": model["judged"],
        "accuracy": model["accuracy"],
        "of judged": model["accuracy_of_judged"],
        "macro-F1": model["macro_f1"],
        "two-way": model["two_way"],
        "ECE": model["calibration_error"],
        "ms": f"{model['median_ms']:.2f}",
        "p95 ms": f"{model['p95_ms']:.2f}",
        "x VADER": model["times_vader"],
    }


def interval(apart: dict[str, Any]) -> str:
    """A difference with its interval."""
    return f"{apart['points']:+.2f} points (95 % of resamples between {apart['low']:+.2f} and {apart['high']:+.2f})"


def main(arguments: Sequence[str]) -> None:
    """The command."""
    given = parse(arguments)
    try:
        files = run(given)
    except UndertoneError as error:
        sys.exit(str(error))
    if given.json:
        print(json.dumps(files, indent=1, ensure_ascii=False))
    else:
        show(files)


if __name__ == "__main__":
    main(sys.argv[1:])
