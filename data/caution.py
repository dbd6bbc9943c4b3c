"""The words that stand beside every result: what the labels do not say, and where they are weak."""

from __future__ import annotations

MEANING = "The labels say who stands behind a claim, not whether it is true."
NOT_THIS = (
    "Unverified is not false: it means that nobody is named and the article itself marks the claim as not established.",
    "Attributed is not right: an identified source can be wrong, or lie.",
    "Anonymous is no reproach: there are good reasons to protect a source. It means that a reader cannot look it up.",
    "A model wrote these labels, and it makes mistakes. Read the sentence before you rely on a label.",
)
WEAK = (
    "It was trained on news reports in English. It is weakest on letters and columns and on long quotations without a "
    "tag, and was never measured on satire and social media. It knows no other language."
)
FOREIGN = "This text does not look like English, the only language that the model knows. Do not rely on these labels."
