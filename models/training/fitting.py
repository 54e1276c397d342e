"""Fitting a classifier to examples: AdamW, a warm-up, a straight way down, and the mean of the last weights."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.examples import LABELS, Example
from models.training.network import Classifier

WARM_UP = 0.06
HEAD_RATE = 5
"""The layer on top begins from nothing and learns so many times as fast."""

DECAY = 0.01
POOL = 50
"""Batches are of texts of one length, sorted within so many batches."""

AVERAGING = 0.999
"""The weights that are kept are a running mean of those of about the last thousand steps."""

Vary = Callable[[str, Random], str]
Report = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Fit:
    """How long and how boldly to train."""

    epochs: int
    rate: float
    batch: int
    smoothing: float


def train(
    network: Classifier,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    vary: Vary,
    fit: Fit,
    random: Random,
    report: Report,
) -> Classifier:
    """The network fitted to the examples, each epoch in a new order and with each text as ``vary`` makes it.

    Multiplies in bfloat16, which a processor with AMX does several times as fast. ``report`` is told the step, of how
    many, and the loss, every hundred steps. ``network`` itself changes too.
    """
    optimiser = torch.optim.AdamW(_groups(network, fit.rate), fused=True)
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
    steps = math.ceil(len(examples) / fit.batch) * fit.epochs
    targets = torch.tensor([example.target for example in examples])
    targets = targets * (1 - fit.smoothing) + fit.smoothing / len(LABELS)
    step, loss_sum = 0, 0.0
    network.train()
    for _ in range(fit.epochs):
        texts = [vary(example.text, random) for example in examples]
        for rows, tokens, mask in batches(tokenizer, texts, fit.batch, random):
            for group in optimiser.param_groups:
                group["lr"] = group["full"] * _slope(step / steps)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(tokens, mask).float()
            loss = -(targets[rows] * logits.log_softmax(1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            mean.update_parameters(network)
            step, loss_sum = step + 1, loss_sum + float(loss.detach())
            if step % 100 == 0:
                report(step, steps, loss_sum / 100)
                loss_sum = 0.0
    averaged: Classifier = mean.module.eval()
    return averaged


def predict(network: Classifier, tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.float64]:
    """Logits [texts, labels], in float32."""
    logits = np.zeros((len(texts), len(LABELS)))
    with torch.inference_mode():
        for rows, tokens, mask in batches(tokenizer, texts, 64, Random(0)):  # noqa: S311 - any order will do
            logits[rows] = network(tokens, mask).double().numpy()
    return logits


def batches(
    tokenizer: Tokenizer, texts: Sequence[str], size: int, random: Random
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Row numbers, tokens and mask of all texts, in batches of texts about as long, in a random order."""
    tokens = [text.ids for text in tokenizer.encode_batch(list(texts))]
    order = random.sample(range(len(texts)), len(texts))
    pools = [order[at : at + size * POOL] for at in range(0, len(order), size * POOL)]
    lengthwise = [sorted(pool, key=lambda row: len(tokens[row])) for pool in pools]
    groups = [pool[at : at + size] for pool in lengthwise for at in range(0, len(pool), size)]
    random.shuffle(groups)
    for group in groups:
        width = max(len(tokens[row]) for row in group)
        padding = [width - len(tokens[row]) for row in group]
        padded = [tokens[row] + [0] * short for row, short in zip(group, padding, strict=True)]
        mask = [[1] * (width - short) + [0] * short for short in padding]
        yield group, torch.tensor(padded), torch.tensor(mask)


def _groups(network: Classifier, rate: float) -> list[dict[str, object]]:
    """The parameters, each with its learning rate; biases and norms do not decay."""
    return [
        {
            "params": [parameter],
            "full": rate * (HEAD_RATE if name.startswith("head") else 1),
            "weight_decay": 0.0 if name.endswith("bias") or "LayerNorm" in name else DECAY,
        }
        for name, parameter in network.named_parameters()
    ]


def _slope(progress: float) -> float:
    return progress / WARM_UP if progress < WARM_UP else (1 - progress) / (1 - WARM_UP)
