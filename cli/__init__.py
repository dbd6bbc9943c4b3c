"""The command line: one thin file a command; errors become one line on stderr.

Exit codes: 0 done, 1 failed, 2 usage, 3 some inputs failed (the others are scored), 4 a gate failed.
"""

from __future__ import annotations

import os
import sys

import typer

from ..data.records import OnrecordError
from .bench import bench_cli
from .compare import compare_cli
from .data import data_app
from .eval import eval_cli
from .score import score_cli
from .suggest import suggest_cli
from .train import train_cli

app = typer.Typer(
    name="onrecord",
    help="Who stands behind each claim of a news article: an identified source, an unidentified one, or nobody.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("score")(score_cli)
app.command("train")(train_cli)
app.command("eval")(eval_cli)
app.command("compare")(compare_cli)
app.command("suggest")(suggest_cli)
app.command("bench")(bench_cli)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line."""
    # What libraries say of themselves is not the user's business.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        app()
    except OnrecordError as error:
        sys.stderr.write(f"onrecord: {error}\n")
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has gone: nothing to tell it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be written
        sys.stderr.write(f"onrecord: {error.filename or 'input or output'}: {error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("onrecord: stopped\n")
        sys.exit(130)
