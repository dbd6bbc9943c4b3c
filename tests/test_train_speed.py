"""Training against the transformers Trainer: the same encoder, sentences and context, in one run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch
from onrecord.data.corpus import bundled_corpus, read_corpus_file
from onrecord.data.labels import LABELS
from onrecord.data.records import Article
from onrecord.train.base import find_encoder
from onrecord.train.config import TrainConfig
from onrecord.train.run import train

N_ARTICLES = 40
BATCH = 32


def ours(articles: list[Article], config: TrainConfig, out: Path) -> float:
    """Return the sentences a second of an epoch over packed windows."""
    train(articles, articles[:2], config, out)
    history = json.loads((out / "training.json").read_text(encoding="utf-8"))["history"]
    return float(history[-1]["sentences_per_second"])


def trainers(articles: list[Article], config: TrainConfig, out: Path) -> float:
    """Return the sentences a second of an epoch over pairs: two sentences of context, and the sentence."""
    import transformers
    from datasets import Dataset

    encoder = str(find_encoder(config.encoder))
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder)
    rows = [
        tokenizer(
            " ".join(sentence.text for sentence in article.sentences[max(0, index - 2) : index]),
            article.sentences[index].text,
            truncation="only_first",
            max_length=256,
        )
        | {"labels": LABELS.index(article.sentences[index].label or "none")}
        for article in articles
        for index in article.judged
    ]
    network = transformers.AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=len(LABELS))
    settings = transformers.TrainingArguments(
        output_dir=str(out),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        train_sampling_strategy="group_by_length",
        bf16=bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()),
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(
        model=network,
        args=settings,
        train_dataset=Dataset.from_list([dict(row) for row in rows]),
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )
    return float(trainer.train().metrics["train_samples_per_second"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_packed_windows_train_twice_as_many_sentences_a_second_as_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = read_corpus_file(bundled_corpus() / "world.txt")[:N_ARTICLES]
    config = TrainConfig(epochs=1, device="cpu")
    ours(articles[:8], config, tmp_path / "warm")
    fast = ours(articles, config, tmp_path / "ours")
    slow = trainers(articles, config, tmp_path / "pairs")
    with capsys.disabled():
        said = f"\nsentences/s: packed windows {fast:.0f}, pairs by the Trainer {slow:.0f}, ratio {fast / slow:.2f}\n"
        sys.stdout.write(said)
    assert fast / slow >= 2
