"""Shared by all tests: a two-layer encoder with a toy tokenizer, some labelled articles, a tiny trained model."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from onrecord.data.corpus import parse_marked
from onrecord.data.records import Article, Sentence

LINES = {
    "attributed": [
        "{s:The mayor} {c:said} the bridge was safe.",
        "{s:The ministry} {c:denied} it.",
        '"We are ready," {s:she} {c:said}.',
    ],
    "anonymous": [
        "{a:Two officials} {c:said} the bridge was closed.",
        "{a:Residents} {c:complained} of noise.",
        "{s:The mayor} {c:said} no, but {a:critics} {c:said} yes.",
    ],
    "unverified": [
        "The bridge {h:may have} moved.",
        "{h:It was unclear} who ordered it.",
        "The firm {h:reportedly} built it.",
    ],
    "none": ["The bridge is 40 metres long.", "It opened in 1969.", "What happens next?"],
}


def toy_articles(n: int = 12) -> list[Article]:
    """Make articles of four sentences, one of each label."""
    articles = []
    for number in range(n):
        sentences = []
        for place, (label, lines) in enumerate(LINES.items()):
            text, spans = parse_marked(lines[(number + place) % len(lines)])
            sentences.append(Sentence(text, label, spans, opens_paragraph=place % 2 == 0))
        articles.append(Article(f"toy-{number}", f"toy-{number}", tuple(sentences), tuple(range(len(sentences)))))
    return articles


@pytest.fixture(scope="session", autouse=True)
def _no_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test may reach a hub or write to a shared cache."""
    import os

    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("hf"))


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a two-layer BERT with random weights and a word-piece vocabulary of its own."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    folder = tmp_path_factory.mktemp("encoder")
    texts = [parse_marked(line)[0] for lines in LINES.values() for line in lines]
    pre = pre_tokenizers.BertPreTokenizer()
    norm = normalizers.BertNormalizer(lowercase=True)
    words = sorted({word for text in texts for word, _ in pre.pre_tokenize_str(norm.normalize_str(text))})
    letters = [*string.ascii_lowercase, *string.digits]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(dict.fromkeys(vocab))}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = norm, pre, decoders.WordPiece()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny model that has learnt the toy articles by heart."""
    from onrecord.model.windows import WindowConfig
    from onrecord.train.build import build
    from onrecord.train.config import TrainConfig

    articles = toy_articles()
    config = TrainConfig(
        name="tiny", encoder=str(tiny_encoder), epochs=40, patience=40, learning_rate=5e-3, dropout=0.0,
        batch_tokens=256, device="cpu", bf16=False, windows=WindowConfig(tokens=64),
    )  # fmt: skip
    out = tmp_path_factory.mktemp("tiny") / "model"
    return build(articles, articles, config, out, data={"toy": "0" * 64})
