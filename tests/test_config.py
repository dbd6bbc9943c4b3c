from pathlib import Path

import pytest
from onrecord.data.records import OnrecordError
from onrecord.train.config import TrainConfig, read_config


def test_a_file_is_read_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("epochs = 3\nlearning_rate = 1e-4\n[windows]\ntokens = 128\n")
    config = read_config(path, epochs=2, seed=None)
    assert (config.epochs, config.learning_rate, config.windows.tokens, config.seed) == (
        2,
        1e-4,
        128,
        TrainConfig().seed,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "unknown key 'epoch'; the nearest known one is 'epochs'"),
        ("[windows]\ntoken = 3", "unknown key 'windows.token'; the nearest known one is 'windows.tokens'"),
        ("epochs = 0", "epochs is 0, allowed are: 1 and up"),
        ("epochs = '3'", "epochs is '3', expected int"),
        ("windows = 3", "windows must be a table"),
        ("device = 'tpu'", "device is tpu, allowed are: auto, cpu, cuda, mps"),
        ("batch_tokens = 100", "batch_tokens is 100"),
        ("epochs =", "not TOML"),
    ],
)
def test_a_bad_configuration_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(OnrecordError, match=r"c\.toml") as caught:
        read_config(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnrecordError, match="No such file"):
        read_config(tmp_path / "none.toml")
