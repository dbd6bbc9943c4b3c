"""Configuration, the training run, export, baselines and out-of-fold runs, which need torch, and suggestions."""
