"""The pure parts of benchmarks/sentiment: what files are taken, the figures, the sample that is read aloud."""

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from benchmarks.bootstrap import difference_of_rates
from benchmarks.sentiment import __main__ as command
from benchmarks.sentiment import aloud, espeak
from benchmarks.sentiment.scores import are_right, confusion, difference, macro_f1, score
from benchmarks.sentiment.texts import Text, guess_language, read_columns
from tests.examples import transcript
from undertone.errors import FatalError
from undertone.events import Label, Probabilities, Sentiment, Suppression, Transcript


def judged(label: Label, score: float = 0.0, shares: tuple[float, float, float] | None = None) -> Sentiment:
    probabilities = None if shares is None else Probabilities(positive=shares[0], neutral=shares[1], negative=shares[2])
    return Sentiment(label=label, score=score, probabilities=probabilities, model="test@1")


def write(folder: Path, content: str, name: str = "texts.tsv") -> Path:
    path = folder / name
    raw = content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("name", ["texts.tsv", "texts.tsv.gz"])
def test_a_file_is_read_by_the_names_of_its_columns(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path, '\ufefflabel\tid\ttext\r\npositive\t1\ta "quote\u2028\x85 here\r\n\r\nneutral\t2\t\r\n', name
    )
    assert read_columns(path, ["text", "original"]) == {
        "text": [Text("positive", 'a "quote\u2028\x85 here'), Text("neutral", "")]
    }


def test_a_second_column_is_read_where_there_is_one(tmp_path: Path) -> None:
    path = write(tmp_path, "label\ttext\toriginal\nnegative\tit is sat\tIt is sad.\n")
    assert read_columns(path, ["text", "original"])["original"] == [Text("negative", "It is sad.")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no column label and no text"),
        ("label\tsentence\npositive\tgood\n", "no column text"),
        ("label,text\npositive,good\n", "no column label and no text"),
        ("label\ttext\n", "no rows"),
        ("label\ttext\n\n \n", "no rows"),
        ("label\ttext\npositive\tgood\n\nPositive\tgood\n", "line 4: 'Positive' is no label"),
        ("label\ttext\npositive\tgood\nnegative\n", "line 3: 1 fields where the header has 2"),
        ("label\ttext\npositive\tgood\tor not\n", "line 2: 3 fields"),
    ],
)
def test_a_file_that_cannot_be_judged_is_refused_with_the_line(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(FatalError, match=complaint):
        read_columns(write(tmp_path, content), ["text"])


@pytest.mark.parametrize(
    ("name", "raw"),
    [("latin.tsv", "label\ttext\npositive\tça\n".encode("latin-1")), ("plain.gz", b"label\ttext\n"), ("cut.gz", b"")],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, raw: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(raw or gzip.compress(b"label\ttext\npositive\tgood\n")[:-9])
    with pytest.raises(FatalError, match=f"{name} cannot be read"):
        read_columns(path, ["text"])
    with pytest.raises(FatalError, match=r"absent\.tsv cannot be read"):
        read_columns(tmp_path / "absent.tsv", ["text"])


def test_the_language_is_that_of_most_letters() -> None:
    assert guess_language(["정말 재미있는 영화였어요 ㅋㅋㅋ", "CG 최고", "10/10!!!"]) == "ko"
    assert guess_language(["It was called 기생충 in Korea", "!!!"]) == "en"
    assert guess_language([""]) == "en"


LABELS: list[Label] = ["positive", "positive", "negative", "neutral"]


def test_a_null_is_wrong_but_not_among_the_judged() -> None:
    found = score(LABELS, [judged("positive"), None, judged("negative"), judged("negative")])
    assert (found.rows, found.judged, found.accuracy, found.accuracy_of_judged) == (4, 3, 50.0, 66.67)
    none = score(LABELS, [None] * 4)
    assert (none.judged, none.accuracy, none.accuracy_of_judged, none.macro_f1, none.two_way) == (0, 0, None, 0, 0)


def test_macro_f1_is_over_the_labels_that_occur() -> None:
    # positive: 1 hit of 2 there and 1 given, 2/3; negative: 1 of 1 there and 2 given, 2/3; neutral: none.
    judgements = [judged("positive"), None, judged("negative"), judged("negative")]
    assert macro_f1(LABELS, judgements) == pytest.approx(100 * (2 / 3 + 2 / 3 + 0) / 3, abs=0.01)
    # Without neutral rows, neutral is no class of its own; taking it for one misses the row.
    assert macro_f1(["positive", "negative"], [judged("neutral"), judged("negative")]) == 50.0


def test_two_way_goes_by_probabilities_and_takes_no_neutral_for_an_answer() -> None:
    judgements = [judged("neutral", -0.9, (0.3, 0.5, 0.2)), judged("neutral", 0.9, (0.2, 0.5, 0.3))]
    assert score(["positive", "positive"], judgements).two_way == 50.0
    assert score(["negative", "negative"], judgements).two_way == 50.0
    assert score(["positive", "negative"], judgements).two_way == 100.0
    assert score(["positive", "negative", "neutral"], [*judgements, judged("positive")]).two_way == 100.0
    assert score(["neutral"], [judged("positive")]).two_way is None


def test_two_way_goes_by_the_sign_where_there_are_no_probabilities() -> None:
    assert score(["positive", "negative"], [judged("neutral", 0.01), judged("positive", 0.4)]).two_way == 50.0
    assert score(["positive"], [judged("neutral", 0.0)]).two_way == 50.0
    assert score(["negative"], [judged("neutral", 0.0)]).two_way == 50.0
    assert score(["negative"], [None]).two_way == 0


def test_the_calibration_error_is_of_what_was_judged_with_probabilities() -> None:
    right, wrong = judged("positive", 0.7, (0.8, 0.1, 0.1)), judged("negative", -0.5, (0.1, 0.3, 0.6))
    assert score(["positive", "neutral", "neutral"], [right, wrong, None]).calibration_error == pytest.approx(0.4)
    assert score(["positive"], [judged("positive", 0.7)]).calibration_error is None


def test_the_confusion_says_what_each_label_was_taken_for() -> None:
    found = confusion(LABELS, [judged("positive"), None, judged("neutral"), judged("negative")])
    assert found["positive"] == {"positive": 1, "neutral": 0, "negative": 0, "null": 1}
    assert found["negative"]["neutral"] == found["neutral"]["negative"] == 1
    assert sum(sum(taken.values()) for taken in found.values()) == len(LABELS)


def test_the_difference_of_two_models_goes_by_text() -> None:
    ours = [True] * 60 + [False] * 40
    theirs = [True] * 50 + [False] * 50
    found = difference(ours, theirs)
    assert found.points == 10.0
    # Ten of a hundred differ, all in one direction: by the normal approximation 10 ± 5.9.
    assert [found.low, found.high] == pytest.approx([4.1, 15.9], abs=1)
    unpaired = difference(ours, [False] * 40 + theirs[:60])
    assert unpaired.high - unpaired.low > 1.5 * (found.high - found.low)
    same = difference(ours, ours)
    assert (same.points, same.low, same.high) == (0, 0, 0)


def test_items_that_are_alike_may_be_given_once() -> None:
    one_by_one = difference_of_rates([1] * 30 + [0] * 50 + [-1] * 20, [1] * 100)
    by_kind = difference_of_rates([1, 0, -1], [1, 1, 1], [30, 50, 20])
    assert by_kind.points == one_by_one.points == 10.0
    assert by_kind.low == pytest.approx(one_by_one.low, abs=1.01)
    assert by_kind.high == pytest.approx(one_by_one.high, abs=1.01)
    with pytest.raises(ValueError, match="not on nothing"):
        difference_of_rates([], [])


def test_the_command_judges_files_and_says_what_it_took_them_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        "positive\tIt is a grate film\tIt is a great film",
        "negative\tI hate it\tI hate it",
        "neutral\tA door\tA door",
    ]
    path = write(tmp_path, "\n".join(["label\ttext\toriginal", *rows]))
    command.main([str(path), "--model", "vader", "--json"])
    [found] = json.loads(capsys.readouterr().out)
    assert (found["language"], found["guessed"], found["left_out"]) == ("en", True, [])
    assert [(column["column"], column["models"][0]["accuracy"]) for column in found["columns"]] == [
        ("text", 66.67),
        ("original", 100.0),
    ]
    assert found["columns"][0]["models"][0]["times_vader"] == 1.0
    [loss] = found["losses"]
    assert (loss["name"], loss["column"], loss["points"]) == ("vader", "text", -33.33)
    command.main([str(path), "--model", "vader", "--column", "original", "--language", "en"])
    table = capsys.readouterr().out
    assert "language en (given)" in table
    assert "vader@" in table
    assert "less" not in table


def test_text_is_judged_as_a_transcript_too_and_the_loss_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "typed.tsv"
    path.write_text("label\ttext\nneutral\tAnna left :)\npositive\tI love it #lovely\n", encoding="utf-8")
    command.main([str(path), "--model", "vader", "--spoken", "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    accuracies = {column["column"]: column["models"][0]["accuracy"] for column in found["columns"]}
    assert accuracies == {"spoken": 100, "original": 50}, "VADER scores a smiley, which nobody says"
    (loss,) = found["losses"]
    assert (loss["column"], loss["points"]) == ("spoken", 50)


def test_the_command_stops_where_no_model_knows_the_language(tmp_path: Path) -> None:
    path = write(tmp_path, "label\ttext\npositive\t정말 재미있는 영화\n")
    with pytest.raises(SystemExit, match=r"none of vader knows the language of .*, ko: name another with --model"):
        command.main([str(path), "--model", "vader"])
    with pytest.raises(SystemExit, match="cannot be read"):
        command.main([str(path.with_name("absent.tsv")), "--model", "vader"])


def texts(**numbers: int) -> list[Text]:
    labels: dict[str, Label] = {"positive": "positive", "neutral": "neutral", "negative": "negative"}
    return [Text(labels[name], f"{name} {n}") for name, count in numbers.items() for n in range(count)]


def test_a_sample_has_as_many_of_each_label_in_their_order() -> None:
    everything = texts(positive=50, neutral=30, negative=20)
    found = aloud.sample(everything, 30, seed=1)
    labels = [one.label for one in found]
    assert [labels.count(label) for label in ("positive", "neutral", "negative")] == [10, 10, 10]
    assert found == [one for one in everything if one in found]
    assert found == aloud.sample(everything, 30, seed=1)
    assert found != aloud.sample(everything, 30, seed=2)


def test_a_label_with_too_few_leaves_its_share_to_the_others() -> None:
    found = [one.label for one in aloud.sample(texts(positive=50, neutral=4, negative=50), 30, seed=1)]
    assert [found.count(label) for label in ("positive", "neutral", "negative")] == [13, 4, 13]
    assert len(aloud.sample(texts(positive=3, negative=2), 30, seed=1)) == 5


def test_what_cannot_be_said_is_not_in_the_sample() -> None:
    said = Text("positive", "좋아요 👍")
    assert aloud.sample([Text("positive", "👍!!"), Text("neutral", ""), said], 3, seed=1) == [said]
    assert espeak.to_speech(said.text) == "좋아요 "


def test_voices_go_by_the_seed() -> None:
    drawn = [espeak.draw_voice("en", Random(str(number))) for number in range(40)]
    assert drawn == [espeak.draw_voice("en", Random(str(number))) for number in range(40)]
    assert len(set(drawn)) > 35
    assert {voice.name.partition("+")[0] for voice in drawn} == set(espeak.ACCENTS["en"])


def final(text: str, avg_logprob: float = -0.2, suppressed: Suppression | None = None) -> Transcript:
    one = transcript(1, 0, 2000, text, suppressed=suppressed)
    return one.model_copy(update={"quality": one.quality.model_copy(update={"avg_logprob": avg_logprob})})


def test_what_was_heard_is_what_counts_and_trusted_what_is_judged() -> None:
    finals = [final("It is sat.\t"), final("Very\nsat."), final("Or what?", -1.1), final("You", suppressed="no_speech")]
    assert aloud.join(finals, "en") == aloud.Heard("It is sat. Very sat. Or what?", "It is sat. Very sat.")
    assert aloud.join([], "en") == aloud.Heard("", "")


def test_what_was_heard_goes_into_a_file_that_can_be_judged(tmp_path: Path) -> None:
    readings = [
        aloud.Reading(Text("negative", "It is sad. Very sad."), aloud.Heard("It is sat. Very sat.", "")),
        aloud.Reading(Text("positive", "Yes"), aloud.Heard("", "")),
        aloud.Reading(Text("neutral", "A door."), aloud.Heard("a door", "a door")),
    ]
    aloud.write(readings, tmp_path / "new" / "out.tsv")
    assert read_columns(tmp_path / "new" / "out.tsv", ["text", "trusted", "original"]) == {
        "text": [Text("negative", "It is sat. Very sat."), Text("positive", ""), Text("neutral", "a door")],
        "trusted": [Text("negative", ""), Text("positive", ""), Text("neutral", "a door")],
        "original": [Text("negative", "It is sad. Very sad."), Text("positive", "Yes"), Text("neutral", "A door.")],
    }
    assert aloud.describe(readings, "en") == (
        "3 texts read aloud in en: 37.5 % of words misheard; 1 texts without an error, 1 suppressed, "
        "2 suppressed or too doubtful to judge"
    )


def test_without_espeak_the_command_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "label\ttext\npositive\tgood\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt-get install espeak-ng"):
        aloud.main([str(path), "--out", str(tmp_path / "out.tsv")])
    assert not (tmp_path / "out.tsv").exists()


def test_right_is_the_label_and_nothing_else() -> None:
    assert are_right(["neutral", "neutral"], [judged("neutral", 0.9), None]) == [True, False]
