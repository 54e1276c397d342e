"""The classifier: an encoder of BERT's form, the mean of what it says of a text's tokens, and one layer on top."""

import math

import torch
from transformers import BertConfig, BertModel

from models.training.bases import HEADS, POSITIONS, SIZE, TOKEN_TYPES, WIDE, Base
from models.training.examples import LABELS


class Classifier(torch.nn.Module):  # type: ignore[misc]
    """Tokens and mask [texts, tokens] in, logits [texts, labels] out, in the order of ``LABELS``."""

    def __init__(self, base: Base, dropout: float) -> None:
        """The weights of ``base``; the layer on top is drawn from torch's seed."""
        super().__init__()
        config = BertConfig(
            vocab_size=base.tokenizer.get_vocab_size(),
            hidden_size=SIZE,
            intermediate_size=WIDE,
            num_attention_heads=HEADS,
            num_hidden_layers=base.layers,
            max_position_embeddings=POSITIONS,
            type_vocab_size=TOKEN_TYPES,
            pad_token_id=base.pad_token,
            hidden_dropout_prob=dropout,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.encoder.load_state_dict({name: base.weights[name] for name in self.encoder.state_dict()})
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(SIZE, len(LABELS))
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """The logits."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        logits: torch.Tensor = self.head(self.dropout((states * weights).sum(1) / weights.sum(1)))
        return logits


class Alone(torch.nn.Module):  # type: ignore[misc]
    """The classifier for one text, [1, tokens] to [1, labels], which nothing pads.

    Without a mask, and with attention written out, the graph that comes of it judges a text a tenth faster than that
    of the library's own code, which provides for more.
    """

    def __init__(self, network: Classifier) -> None:
        """The layers of ``network``, not copies."""
        super().__init__()
        self.encoder, self.head = network.encoder, network.head

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """The logits."""
        states = self.encoder.embeddings(input_ids=input_ids)
        for layer in self.encoder.encoder.layer:
            attended = layer.attention.output.dense(self._attend(layer.attention.self, states))
            states = layer.attention.output.LayerNorm(attended + states)
            wide = torch.nn.functional.gelu(layer.intermediate.dense(states))
            states = layer.output.LayerNorm(layer.output.dense(wide) + states)
        logits: torch.Tensor = self.head(states.mean(1))
        return logits

    def _attend(self, layer: torch.nn.Module, states: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            part(states).view(1, -1, HEADS, SIZE // HEADS).transpose(1, 2)
            for part in (layer.query, layer.key, layer.value)
        )
        weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(SIZE // HEADS), -1)
        return (weights @ value).transpose(1, 2).reshape(1, -1, SIZE)
