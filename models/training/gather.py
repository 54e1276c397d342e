"""Two of the files that training reads, which nobody publishes in this form, from clones of their sources.

    python -m models.training.gather goemotions CLONE --data FOLDER
    python -m models.training.gather nsmc CLONE --data FOLDER

``CLONE`` is a checkout of monologg/GoEmotions-pytorch or of e9t/nsmc. ``FOLDER`` holds the other files that
docs/sentiment.md names; what they have is left out here.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.training.labelled import read_labelled
from undertone.errors import FatalError, UndertoneError
from undertone.events import Label

EMOTIONS_FILE = "goemotions_more.tsv"
RATINGS_FILE = "nsmc3_more.tsv.gz"

FEELINGS: dict[Label, str] = {
    "negative": "anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness remorse "
    "sadness",
    "neutral": "neutral",
    "positive": "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief",
}
"""GoEmotions' own groups (Demszky et al., 2020, figure 2). Its fourth, confusion, curiosity, realization and surprise,
may be either and says nothing here."""

LABEL_OF: dict[str, Label] = {emotion: label for label, names in FEELINGS.items() for emotion in names.split()}

Row = tuple[Label, str, str]


def main() -> None:
    """Write one of the files."""
    parser = argparse.ArgumentParser(prog="python -m models.training.gather", description=__doc__.partition("\n")[0])
    parser.add_argument("source", choices=("goemotions", "nsmc"))
    parser.add_argument("clone", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled text")
    chosen = parser.parse_args()
    gather = gather_emotions if chosen.source == "goemotions" else gather_ratings
    try:
        file, count = gather(chosen.clone, chosen.data)
    except UndertoneError as error:
        sys.exit(str(error))
    sys.stderr.write(f"{count} rows written to {file}\n")


def gather_emotions(clone: Path, data: Path) -> tuple[Path, int]:
    """Comments of GoEmotions that the grouped files lack: those of several groups, and all of its test split.

    ``orig`` has the emotions and the comment's number: ``anger,surprise|ee7ujla``; ``label`` is that of the first
    emotion that has one. Returns the file and its rows; raises ``FatalError`` where the clone is none.
    """
    known = {
        row["orig"] for name in ("train", "dev") for row in read_labelled(data / f"goemotions3_{name}.tsv", ["orig"])
    }
    emotions = _read(clone / "data/original/labels.txt").split()

    def rows() -> Iterator[Row]:
        for part in ("train", "test"):
            for line in _read(clone / f"data/original/{part}.tsv").splitlines():
                text, numbers, comment = line.split("\t")
                named = [emotions[int(number)] for number in numbers.split(",")]
                labels = [LABEL_OF[emotion] for emotion in named if emotion in LABEL_OF]
                if labels and comment not in known:
                    yield labels[0], text, f"{','.join(named)}|{comment}"

    return _write(data / EMOTIONS_FILE, rows())


def gather_ratings(clone: Path, data: Path) -> tuple[Path, int]:
    """Comments on films that neither file of ratings has, of films that the file to judge by does not know.

    ``orig`` has the rating, the comment's number and the film's: ``9|9976970|36846``. Returns the file and its rows;
    raises ``FatalError`` where the clone is none.
    """
    taken = {
        name: {row["orig"].partition("|")[2] for row in read_labelled(data / name, ["orig"])}
        for name in ("nsmc3_train_large.tsv.gz", "nsmc3_test.tsv")
    }
    files = sorted((clone / "raw").glob("*.json"))
    if not files:
        raise FatalError(f"{clone} has no raw/*.json: give a checkout of e9t/nsmc")
    films = {file.stem: json.loads(_read(file)) for file in files}
    judged = {
        film
        for film, comments in films.items()
        if any(comment["review_id"] in taken["nsmc3_test.tsv"] for comment in comments)
    }
    known = set().union(*taken.values())

    def rows() -> Iterator[Row]:
        for film in sorted(films.keys() - judged):
            for comment in films[film]:
                text = " ".join(comment["review"].split())
                if text and comment["review_id"] not in known:
                    rating = int(comment["rating"])
                    label: Label = "negative" if rating <= 4 else "neutral" if rating <= 8 else "positive"
                    yield label, text, f"{rating}|{comment['review_id']}|{film}"

    return _write(data / RATINGS_FILE, rows())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"{file} cannot be read: {error}; give a checkout of the source as it was cloned") from error


def _write(file: Path, rows: Iterable[Row]) -> tuple[Path, int]:
    lines = ["label\ttext\torig", *("\t".join(row) for row in rows)]
    content = ("\n".join(lines) + "\n").encode()
    file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == ".gz" else content)
    return file, len(lines) - 1


if __name__ == "__main__":
    main()
