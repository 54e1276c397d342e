"""The recipe from examples to a folder that the engine runs, on a base of one layer drawn at random."""

from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.sentiment import load_engines
from models.sentiment.ngrams import Runs
from models.sentiment.onnx_card import OnnxCard
from models.training.examples import LABELS, Example

if TYPE_CHECKING:
    from models.training.bases import Base

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


def make_tokenizer() -> Tokenizer:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "was", *GOOD, *BAD, *PLAIN, *" ".join(THINGS).split()]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(dict.fromkeys(vocabulary))}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def make_base(layers: int) -> "Base":
    from transformers import BertConfig, BertModel

    from models.training.bases import HEADS, SIZE, WIDE, Base

    tokenizer = make_tokenizer()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=SIZE,
        intermediate_size=WIDE,
        num_attention_heads=HEADS,
        num_hidden_layers=layers,
    )
    weights = BertModel(config, add_pooling_layer=False).state_dict()
    return Base(weights, tokenizer, layers=layers, pad_token=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Example], np.ndarray]:
    """A folder, examples that were not trained on, and the logits of the network and table before they were packed."""
    import torch

    from models.training.export import export, export_table, write_card
    from models.training.fitting import Fit, predict, train
    from models.training.network import Classifier
    from models.training.ngram_table import Form, fit_table, score, weigh

    torch.manual_seed(1)
    random = Random(1)
    base, tokenizer = make_base(layers=1), make_tokenizer()
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
    export(network, tokenizer, folder, texts)
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


def test_the_matrix_that_cannot_be_packed_stays_as_it_is(tmp_path: Path) -> None:
    import onnx
    import torch
    from onnx import numpy_helper

    from models.training.bases import SIZE, WIDE
    from models.training.export import export
    from models.training.network import Classifier

    torch.manual_seed(1)
    network = Classifier(make_base(layers=3), 0.1).eval()
    outlier = network.encoder.encoder.layer[1]
    with torch.no_grad():  # one state of a thousand and five hundred is a thousand times as large as the others
        outlier.intermediate.dense.bias[7] = 300.0
    export(network, make_tokenizer(), tmp_path, [example.text for example in make_examples(Random(1), 20)])
    graph = onnx.load(tmp_path / "model.onnx").graph
    (kept,) = (
        numpy_helper.to_array(each)
        for each in graph.initializer
        if list(each.dims) == [WIDE, SIZE] and each.data_type == onnx.TensorProto.FLOAT
    )
    assert np.allclose(kept.T, outlier.output.dense.weight.detach().numpy())


def test_for_a_text_alone_nothing_is_left_out() -> None:
    import torch

    from models.training.network import Alone, Classifier

    torch.manual_seed(1)
    network = Classifier(make_base(layers=2), 0.1).eval()
    with torch.inference_mode():
        for layer in network.encoder.encoder.layer:  # so that words attend to some words more than to others
            layer.attention.self.query.weight *= 20
            layer.attention.self.key.weight *= 20
        for example in make_examples(Random(1), 5):
            tokens = torch.tensor([make_tokenizer().encode(example.text).ids])
            assert torch.allclose(Alone(network)(tokens), network(tokens, torch.ones_like(tokens)), atol=1e-5)


def test_what_a_teacher_says_counts_by_its_share() -> None:
    import torch

    from models.training.fitting import predict
    from models.training.network import Classifier
    from models.training.teaching import teach

    torch.manual_seed(1)
    teacher, tokenizer = Classifier(make_base(layers=1), 0.1).eval(), make_tokenizer()
    examples = make_examples(Random(1), 9)
    logits = predict(teacher, tokenizer, [example.text for example in examples])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    taught = teach(teacher, tokenizer, examples, 0.25)
    assert [example.text for example in taught] == [example.text for example in examples]
    for example, new, chance in zip(examples, taught, chances, strict=True):
        assert new.target == pytest.approx(0.75 * np.array(example.target) + 0.25 * chance)


def test_a_pupil_begins_with_the_layers_of_its_teacher() -> None:
    import torch

    from models.training.network import Classifier
    from models.training.teaching import begin

    base = make_base(layers=3)
    teacher = Classifier(base, 0.1).eval()
    with torch.no_grad():
        teacher.head.bias += 1
    pupil = begin(teacher, base, (0, 2), 0.1).eval()
    known = teacher.state_dict()
    assert torch.equal(pupil.head.bias, teacher.head.bias)
    for mine, its in ((0, 0), (1, 2)):
        name = "encoder.encoder.layer.{}.output.dense.weight"
        assert torch.equal(pupil.state_dict()[name.format(mine)], known[name.format(its)])
    assert len(pupil.encoder.encoder.layer) == 2


def test_a_base_is_read_from_an_export_that_has_lost_the_names_of_its_matrices(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from models.training.bases import read_bge

    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    bias, norm, words = np.ones(3, np.float32), np.full(3, 2, np.float32), np.full((4, 2), 3, np.float32)
    named = {
        "onnx::MatMul_7": matrix,
        "encoder.layer.0.output.dense.bias": bias,
        "encoder.layer.0.output.LayerNorm.bias": norm,
        "embeddings.word_embeddings.weight": words,
    }
    nodes = [
        helper.make_node("MatMul", ["states", "onnx::MatMul_7"], ["product"]),
        helper.make_node("Add", ["encoder.layer.0.output.dense.bias", "product"], ["sum"]),
        helper.make_node("Add", ["sum", "encoder.layer.0.output.LayerNorm.bias"], ["last"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("states", "last")]
    arrays = [numpy_helper.from_array(array, name) for name, array in named.items()]
    graph = helper.make_graph(nodes, "export", ends[:1], ends[1:], arrays)
    onnx.save(helper.make_model(graph), tmp_path / "bge-small-en-v1.5.onnx")
    make_tokenizer().save(str(tmp_path / "bge-small-en-v1.5-tokenizer.json"))
    weights = read_bge(tmp_path).weights
    assert set(weights) == set(named) - {"onnx::MatMul_7"} | {"encoder.layer.0.output.dense.weight"}
    assert weights["encoder.layer.0.output.dense.weight"].tolist() == matrix.T.tolist()
