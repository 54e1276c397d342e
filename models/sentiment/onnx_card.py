"""``card.json``: what an ONNX folder says of itself, and the check that it is whole."""

from pathlib import Path

from pydantic import Field, ValidationError

from models.sentiment.ngrams import Runs
from models.weights.fetch import checksum
from undertone.errors import FatalError
from undertone.events import Label, Value

CARD = "card.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
TABLE = "ngrams.npy"


class OnnxCard(Value):
    """What the engine needs to know of a model.

    ``labels`` are the meanings of its outputs, in order. ``bias`` is added to its logits, and the sum divided by
    ``temperature``; a top probability below ``least_probability`` is called neutral; ``most_tokens`` of a text are
    read. ``longest_ngram`` is 0 for a model without a table of runs of characters; ``ngrams_over_words`` says whether
    these go from one word to the next. ``sha256`` of each file.
    """

    name: str
    revision: str
    languages: tuple[str, ...] = Field(min_length=1)
    labels: tuple[Label, ...] = Field(min_length=2)
    bias: tuple[float, ...]
    temperature: float = Field(gt=0)
    least_probability: float = Field(ge=0, le=1)
    most_tokens: int = Field(gt=2)
    longest_ngram: int = Field(0, ge=0)
    ngrams_over_words: bool = False
    licence: str
    sha256: dict[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """What lies in the folder beside the card."""
        return (MODEL, TOKENIZER, TABLE) if self.longest_ngram else (MODEL, TOKENIZER)

    @property
    def runs(self) -> Runs:
        """The runs of characters that the table knows."""
        return Runs(self.longest_ngram, self.ngrams_over_words)


def read_card(folder: Path) -> OnnxCard:
    """The card of a folder whose files are those that it names. Reads every byte of them, 28 MB in 20 ms.

    Raises ``FatalError`` where something is missing, unreadable or not what the card says.
    """
    try:
        card = OnnxCard.model_validate_json((folder / CARD).read_bytes())
        found = {name: checksum(folder / name) for name in card.files}
    except OSError as error:
        raise FatalError(f"the sentiment model in {folder} is not whole: {error}; {_REMEDY}") from error
    except ValidationError as error:
        raise FatalError(f"{folder / CARD} does not describe a sentiment model: {error}; {_REMEDY}") from error
    for name, sum_ in found.items():
        if sum_ != card.sha256.get(name):
            raise FatalError(
                f"the file {folder / name} is not the one that its card names: its SHA-256 is {sum_}, it should be "
                f"{card.sha256.get(name)}; {_REMEDY}"
            )
    return card


_REMEDY = "install Undertone again, or set UNDERTONE_SENTIMENT_MODEL to another model"
