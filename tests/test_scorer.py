import shutil
from pathlib import Path

import numpy as np
import pytest

from .conftest import toy_articles

pytest.importorskip("torch")
from onrecord.data.corpus import article_text
from onrecord.data.labels import LABELS
from onrecord.data.records import OnrecordError
from onrecord.model import load
from onrecord.model.folder import load_settings
from onrecord.model.judge import Judgement, Tokens
from onrecord.model.network import torch_backend
from onrecord.model.restore import load_network
from onrecord.model.scorer import Model, find_evidence, judge_labelled
from onrecord.train.run import judge_articles


def test_a_tiny_network_learns_a_few_sentences_by_heart_and_keeps_them_through_save_and_load(tiny_model: Path) -> None:
    found = judge_labelled(load(tiny_model), toy_articles())
    gold = [sentence.label for article in toy_articles() for sentence in article.sentences]
    assert [LABELS[int(item.log_probabilities.argmax())] for item in found] == gold


def test_the_int8_scorer_agrees_with_the_torch_network(tiny_model: Path) -> None:
    model = load(tiny_model)
    config, _ = load_settings(tiny_model)
    network = load_network(tiny_model)
    reference = judge_articles(
        toy_articles(), model._tokenizer, torch_backend(network, config.special.pad), config.windows, config.special
    )
    found = judge_labelled(model, toy_articles())
    for one, other in zip(found, reference, strict=True):
        assert one.log_probabilities.argmax() == other.log_probabilities.argmax()
        assert np.abs(np.exp(one.log_probabilities) - np.exp(other.log_probabilities)).max() < 0.1


def test_a_model_folder_tells_nothing_of_the_machine_that_trained_it(tiny_model: Path, tiny_encoder: Path) -> None:
    assert str(tiny_encoder) not in (tiny_model / "config.json").read_text(encoding="utf-8")


def test_an_article_scores_the_same_alone_and_among_others(tiny_model: Path) -> None:
    texts = [article_text(article)[0] for article in toy_articles()]
    model = load(tiny_model, threads=2)
    together = [item.to_dict() for item in model.score_many((str(n), text, None) for n, text in enumerate(texts))]
    assert together == [model.score(text, id=str(n)).to_dict() for n, text in enumerate(texts)]


def test_offsets_of_sentences_and_evidence_give_back_their_text(tiny_model: Path) -> None:
    text = (
        "The mayor said 👩‍👩‍👧 no.\r\n\r\nCafé\u0301 residents complained of noise.\r\nIt was unclear who ordered it."
    )
    scored = load(tiny_model).score(text)
    assert len(scored.sentences) == 3
    for sentence in scored.sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        assert all(text[item.start : item.end] == item.text for item in sentence.evidence)
        assert sum(sentence.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", "no", "👍", "\n\n \n", "The"])
def test_the_smallest_texts_are_scored(tiny_model: Path, text: str) -> None:
    scored = load(tiny_model).score(text)
    assert len(scored.sentences) == bool(text.strip())


def test_a_sentence_of_400_000_characters_is_scored_whole(tiny_model: Path) -> None:
    text = "the bridge said " * 25_000
    (sentence,) = load(tiny_model).score(text).sentences
    assert sentence.end == len(text.rstrip())
    assert sum(sentence.probabilities.values()) == pytest.approx(1, abs=1e-4)


def judgement(tags: list[str], unidentified: float = 5.0) -> tuple[Judgement, str]:
    """Lay out one token for each tag, three letters wide with a space between."""
    names = ("O", "B-source", "I-source", "B-cue", "I-cue", "B-hedge", "I-hedge")
    evidence = np.full((len(tags), 8), -5, np.float32)
    for place, tag in enumerate(tags):
        evidence[place, names.index(tag)] = 5
    evidence[:, -1] = unidentified
    offsets = tuple((4 * place, 4 * place + 3) for place in range(len(tags)))
    tokens = Tokens((1,) * len(tags), offsets)
    return Judgement(np.zeros(4, np.float32), evidence, tokens), " ".join(["abc"] * len(tags))


def test_evidence_is_decoded_by_hand() -> None:
    found, text = judgement(["O", "B-source", "I-source", "B-cue", "O", "I-source"])
    spans = [(item.tag, item.start, item.end, item.kind) for item in find_evidence(found, text, "anonymous")]
    assert spans == [("source", 4, 11, "unidentified"), ("cue", 12, 15, None), ("source", 20, 23, "unidentified")]


def test_a_short_gap_in_a_source_is_bridged_a_long_one_and_one_in_a_cue_are_not() -> None:
    found, text = judgement(["B-source", "O", "O", "I-source", "O", "O", "O", "I-source", "B-cue", "O", "I-cue"])
    spans = [(item.tag, item.start, item.end) for item in find_evidence(found, text, "attributed")]
    assert spans == [("source", 0, 15), ("source", 28, 31), ("cue", 32, 35), ("cue", 40, 43)]


def test_neighbouring_words_are_one_piece_though_the_second_would_open_another() -> None:
    found, text = judgement(["B-hedge", "B-hedge", "O", "B-hedge"])
    spans = [(item.start, item.end) for item in find_evidence(found, text, "unverified")]
    assert spans == [(0, 7), (12, 15)]


def test_the_pieces_of_a_word_are_marked_together_or_not_at_all() -> None:
    found, _ = judgement(["O", "B-cue", "I-cue", "I-cue", "B-hedge"])
    text = "he bemoaned it"
    pieces = Judgement(
        found.log_probabilities, found.evidence, Tokens((1,) * 5, ((0, 2), (3, 5), (5, 9), (9, 11), (12, 14)))
    )
    pieces.evidence[1] = pieces.evidence[0]  # one piece in three speaks against it
    assert [(item.text, round(item.score, 2)) for item in find_evidence(pieces, text, "unverified")] == [
        ("bemoaned", 0.67),
        ("it", 1.0),
    ]
    pieces.evidence[2] = pieces.evidence[0]
    assert [item.text for item in find_evidence(pieces, text, "unverified")] == ["it"]


def test_a_source_needs_less_certainty_than_a_cue() -> None:
    found, text = judgement(["B-source", "B-cue"])
    found.evidence[:, 0] = 4.5  # "O" at .38, the tag at .62
    assert [item.tag for item in find_evidence(found, text, "attributed")] == ["source"]


def test_evidence_keeps_to_the_label_guide() -> None:
    found, text = judgement(["B-source", "B-cue", "B-hedge"])
    assert find_evidence(found, text, "none") == ()
    assert [item.tag for item in find_evidence(found, text, "attributed")] == ["source", "cue"]
    assert find_evidence(found, text, "attributed")[0].kind == "identified"
    assert [item.tag for item in find_evidence(found, text, "unverified")] == ["source", "cue", "hedge"]


def test_a_folder_that_is_no_model_is_named(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(OnrecordError, match="no model folder"):
        load(tmp_path)
    file = tmp_path / "x"
    file.write_text("")
    with pytest.raises(OnrecordError, match="is a file"):
        load(file)
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(OnrecordError, match="damaged"):
        load(broken)


def test_a_model_of_another_segmenter_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(tiny_model, folder)
    path = folder / "config.json"
    path.write_text(path.read_text().replace("onrecord-rules-1", "another-9"))
    with pytest.raises(OnrecordError, match="another-9"):
        Model(folder)


@pytest.mark.parametrize("device", ["cuda", "abacus"])
def test_a_device_that_is_not_there_is_named(tiny_model: Path, device: str) -> None:
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(OnrecordError, match=f"device '{device}'"):
        load(tiny_model, device=device)
