"""Configuration, the training run, export, baselines and out-of-fold runs: everything that needs torch."""
