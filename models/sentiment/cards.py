"""The languages that a model's card says it knows: the ``language`` at the head of its README.md."""

from pathlib import Path

from huggingface_hub import ModelCard

from undertone.languages import LANGUAGES


def read_languages(folder: Path) -> frozenset[str]:
    """Those of the card in ``folder`` that a transcript can be in; none where there is no card or it does not say."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8")
        said = getattr(ModelCard(card).data, "language", None) if card.startswith("---") else None
    except Exception:  # noqa: BLE001 - people write cards by hand, and YAML has errors of its own
        return frozenset()
    listed = said if isinstance(said, list) else [said]
    return frozenset(code for code in listed if isinstance(code, str)) & LANGUAGES
