"""Train a shipped sentiment model anew.

    python -m models.training english|korean --data FOLDER [--out FOLDER] [--seed 1] [--threads 2]

``--data`` holds the files that docs/sentiment.md names. Writes the folder that ``OnnxEngine`` runs, by default the one
that ships. Needs the extra ``training``.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from models.sentiment import SHIPPED
from models.sentiment.calibration import (
    expected_calibration_error,
    fit_bias,
    fit_least_probability,
    fit_temperature,
    softmax,
)
from models.sentiment.onnx_card import OnnxCard
from models.training.examples import LABELS
from models.training.export import export, export_table, write_card
from models.training.fitting import predict, train
from models.training.network import Classifier
from models.training.ngram_table import choose_weight, fit_table, score, weigh
from models.training.recipes import RECIPES, Lesson, Recipe
from models.training.teaching import begin, teach
from undertone.errors import UndertoneError
from undertone.settings import read_settings

DROPOUT = 0.1
TRIED = 600
"""Texts that tell which matrix may not be packed."""


def main() -> None:
    """Train, export, and say how sure it may be."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled text")
    parser.add_argument("--out", type=Path, help="folder to write; otherwise the one that ships")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="train on so many examples alone, to try the way")
    parser.add_argument("--weights", type=Path, help="weights that --keep kept: not to train, but to finish")
    parser.add_argument("--keep", type=Path, help="file for the trained weights as they are, as safetensors")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    random = Random(chosen.seed)  # noqa: S311 - to repeat, not to hide
    try:
        recipe = RECIPES[chosen.recipe](chosen.data, read_settings().cache, random)
    except UndertoneError as error:
        sys.exit(str(error))
    recipe.base.tokenizer.enable_truncation(recipe.most_tokens)
    folder = chosen.out or SHIPPED / f"sentiment-{recipe.language}"
    if chosen.limit:
        recipe = _shorten(recipe, chosen.limit)
    if chosen.weights:
        layers = recipe.base.layers if recipe.pupil is None else len(recipe.pupil.layers)
        network = Classifier(replace(recipe.base, layers=layers), DROPOUT).eval()
        network.load_state_dict(load_file(chosen.weights))
    else:
        network = _train(recipe, chosen.seed, random)
    if chosen.keep:
        save_file(network.state_dict(), chosen.keep)
    export(network, recipe.base.tokenizer, folder, [example.text for example in recipe.held_out[:TRIED]])
    write_card(folder, _finish(network, recipe, chosen.seed, folder))
    _say(f"written to {folder}; judge it with python -m benchmarks.sentiment FILE.tsv --model {folder}")


def _shorten(recipe: Recipe, limit: int) -> Recipe:
    return replace(
        recipe,
        examples=recipe.examples[:limit],
        lessons=[replace(lesson, examples=lesson.examples[:limit]) for lesson in recipe.lessons],
        held_out=recipe.held_out[:limit],
    )


def _train(recipe: Recipe, seed: int, random: Random) -> Classifier:
    network = _follow(Classifier(recipe.base, DROPOUT), recipe.lessons, recipe, seed, random)
    if recipe.pupil is None:
        return network
    pupil = recipe.pupil
    taught = teach(network, recipe.base.tokenizer, recipe.lessons[0].examples, pupil.share)
    begun = begin(network, recipe.base, pupil.layers, DROPOUT)
    return _follow(begun, [Lesson(taught, pupil.fit)], recipe, seed, random)


def _follow(network: Classifier, lessons: Sequence[Lesson], recipe: Recipe, seed: int, random: Random) -> Classifier:
    began_s = time.monotonic()
    for number, lesson in enumerate(lessons):
        _say(f"{len(lesson.examples)} examples, {lesson.fit}")
        if number:
            torch.manual_seed(seed + number)
            random = Random(seed + number)  # noqa: S311 - so that a later lesson does not hang on the draws before
        network = train(
            network,
            recipe.base.tokenizer,
            lesson.examples,
            recipe.vary,
            lesson.fit,
            random,
            lambda step, steps, loss: _say(f"{step}/{steps} loss {loss:.3f} {time.monotonic() - began_s:.0f} s"),
        )
    return network


def _finish(network: Classifier, recipe: Recipe, seed: int, folder: Path) -> OnnxCard:
    """The card, with temperature and threshold from the texts held out, in all their forms; and the table, if any."""
    random = Random(seed)  # noqa: S311
    texts = [form(example.text, random) for form in recipe.forms for example in recipe.held_out]
    labels = np.array([example.label for _ in recipe.forms for example in recipe.held_out])
    logits = predict(network, recipe.base.tokenizer, texts)
    _tell("the network alone", logits, labels)
    table = fit_table(recipe.examples, recipe.table, seed)
    scores = score(table, recipe.table.runs, texts)
    weight = choose_weight(logits, scores, labels)
    _tell("the table alone", scores, labels)
    export_table(weigh(table, weight), folder)
    logits = logits + weight * scores
    _tell(f"with the table, weighted {weight:.1f}", logits, labels)
    bias = fit_bias(logits, labels)
    logits = logits + bias
    _tell(f"with the bias {np.round(bias, 3).tolist()}", logits, labels)
    temperature = fit_temperature(logits, labels)
    probabilities = softmax(logits / temperature)
    _tell(f"at temperature {temperature:.3f}", logits / temperature, labels)
    least = fit_least_probability(probabilities, labels, neutral=LABELS.index("neutral"))
    return OnnxCard(
        name=recipe.name,
        revision="",
        languages=(recipe.language,),
        labels=LABELS,
        bias=tuple(np.round(bias, 4).tolist()),
        temperature=round(temperature, 4),
        least_probability=least,
        most_tokens=recipe.most_tokens,
        longest_ngram=recipe.table.runs.longest,
        ngrams_over_words=recipe.table.runs.over_words,
        licence=recipe.licence,
        sha256={},
    )


def _tell(what: str, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    chances = softmax(logits)
    right = (chances.argmax(1) == labels).mean()
    _say(f"{what}: {right:.1%} right, calibration error {expected_calibration_error(chances, labels):.3f}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
