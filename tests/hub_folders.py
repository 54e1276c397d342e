"""Small models in the form of the Hugging Face hub, made on the spot. Needs the extra ``torch``."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

CARD = "---\nlanguage:\n- en\n- ko\nlicense: apache-2.0\n---\n# A small model of the tests\n"

GOOD = ["love", "wonderful", "great", "good", "좋아요"]
BAD = ["hate", "terrible", "awful", "bad", "싫어요"]
OTHER = ["i", "this", "is", "it", "the", "meeting", "at", "ten", "warm", "오늘", "회의"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = [*SPECIAL, *OTHER, *GOOD, *BAD]

HIDDEN = 4


def write_model(folder: Path, labels: Sequence[str] = ("negative", "neutral", "positive"), **settings: Any) -> Path:
    """A whole folder: a BERT of one layer that tells ``GOOD`` words from ``BAD`` ones; its path.

    ``labels`` name its outputs, which go from the worst to the best. ``settings`` are of its configuration.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=HIDDEN,
        max_position_embeddings=64,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        **settings,
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        _set(model, torch, len(labels))
    model.save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    (folder / "README.md").write_text(CARD)
    return folder


def change_weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the tensors in a folder, by their names."""
    safetensors = import_module("safetensors.torch")
    file = folder / "model.safetensors"
    safetensors.save_file(change(safetensors.load_file(file)), file)


def _set(model: Any, torch: Any, outputs: int) -> None:
    """Its weights by hand: words point one way or the other, [CLS] takes their mean, outputs ask how far it points."""
    for name, weight in model.named_parameters():
        is_identity = name.endswith(("value.weight", "attention.output.dense.weight", "pooler.dense.weight"))
        is_norm = name.endswith("LayerNorm.weight")
        weight.copy_(torch.eye(HIDDEN) if is_identity else torch.full_like(weight, float(is_norm)))
    direction = torch.tensor([1.0, -1.0, 0.0, 0.0])
    for words, sign in ((GOOD, 3), (BAD, -3)):
        for word in words:
            model.bert.embeddings.word_embeddings.weight[VOCABULARY.index(word)] = sign * direction
    steps = torch.linspace(-1, 1, outputs)
    model.classifier.weight.copy_(2 * steps[:, None] * direction)
    model.classifier.bias.copy_(1 - steps.abs())


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
