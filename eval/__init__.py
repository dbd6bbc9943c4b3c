"""Metrics, intervals, slices, reports, comparison and model cards, from predictions files."""
