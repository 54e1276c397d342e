"""The recipe from examples to a folder that the engine runs, on a base of one layer drawn at random."""

from importlib.util import find_spec
from pathlib import Path
from random import Random

import numpy as np
import pytest

from models.sentiment import load_engines
from models.sentiment.ngrams import Runs
from models.sentiment.onnx_card import OnnxCard
from models.training.examples import LABELS, Example

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs the extra training: make test-torch"),
]

GOOD, BAD, PLAIN = (
    ["lovely", "great", "kind", "warm"],
    ["awful", "cruel", "cold", "broken"],
    ["seven", "table", "north", "paper"],
)
THINGS = ["the day", "her voice", "my lunch", "this town", "our talk", "that game"]
TARGETS = {"negative": (1.0, 0.0, 0.0), "neutral": (0.0, 1.0, 0.0), "positive": (0.0, 0.0, 1.0)}


def make_examples(random: Random, count: int) -> list[Example]:
    words = {"negative": BAD, "neutral": PLAIN, "positive": GOOD}
    labels = [random.choice(LABELS) for _ in range(count)]
    return [
        Example(f"{random.choice(THINGS)} was {random.choice(words[label])}", TARGETS[label], "test")
        for label in labels
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Example], np.ndarray]:
    """A folder, examples that were not trained on, and the logits of the network and table before they were packed."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    from models.training.bases import HEADS, SIZE, WIDE, Base
    from models.training.export import export, export_table, write_card
    from models.training.fitting import Fit, predict, train
    from models.training.network import Classifier
    from models.training.ngram_table import Form, fit_table, score, weigh

    torch.manual_seed(1)
    random = Random(1)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "was", *GOOD, *BAD, *PLAIN, *" ".join(THINGS).split()]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(dict.fromkeys(vocabulary))}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=SIZE,
        intermediate_size=WIDE,
        num_attention_heads=HEADS,
        num_hidden_layers=1,
    )
    weights = BertModel(config, add_pooling_layer=False).state_dict()
    base = Base(weights, tokenizer, layers=1, pad_token=0)
    examples, unseen = make_examples(random, 600), make_examples(random, 60)
    fit = Fit(epochs=3, rate=5e-4, batch=32, smoothing=0.05)
    losses: list[float] = []
    network = train(
        Classifier(base, 0.1),
        tokenizer,
        examples,
        lambda text, _: text,
        fit,
        random,
        lambda step, steps, loss: losses.append(loss),
    )
    folder = tmp_path_factory.mktemp("trained")
    texts = [example.text for example in unseen]
    form = Form(Runs(5, over_words=True), rows=1 << 16, penalty=3e-6)
    table = weigh(fit_table(examples, form, 1), 0.3)
    export(network, tokenizer, folder)
    export_table(table, folder)
    card = OnnxCard(
        name="tiny",
        revision="",
        languages=("en",),
        labels=LABELS,
        bias=(0.1, 0.0, -0.1),
        temperature=1.5,
        least_probability=0.0,
        most_tokens=32,
        longest_ngram=form.runs.longest,
        ngrams_over_words=form.runs.over_words,
        licence="none",
        sha256={},
    )
    write_card(folder, card)
    logits = predict(network, tokenizer, texts) + score(table, form.runs, texts) + card.bias
    return folder, unseen, logits / card.temperature


def test_what_is_exported_judges_as_what_was_trained(
    trained: tuple[Path, list[Example], np.ndarray], tmp_path: Path
) -> None:
    folder, unseen, logits = trained
    (engine,) = load_engines(str(folder), tmp_path)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = 0
    for example, row in zip(unseen, chances, strict=True):
        judged = engine.classify(example.text)
        assert judged is not None
        assert judged.probabilities is not None
        assert judged.probabilities.positive == pytest.approx(row[2], abs=0.05), "eight bits cost little"
        assert judged.score == pytest.approx(row[2] - row[0], abs=0.05)
        right += judged.label == LABELS[example.label]
    assert right >= 0.9 * len(unseen), "it has learnt what three sets of four words mean"


def test_its_name_tells_which_weights_these_are(
    trained: tuple[Path, list[Example], np.ndarray], tmp_path: Path
) -> None:
    (engine,) = load_engines(str(trained[0]), tmp_path)
    name, _, revision = engine.name.partition("@")
    assert name == "tiny"
    assert len(revision) == 8
