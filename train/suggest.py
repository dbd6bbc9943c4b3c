"""Which sentences to label next: those the model is unsure of, each unlike the ones before it.

A sentence stands for what labelling it would teach: the gradient of the label head's loss, were the model's own guess
right, which is the outer product of (probabilities - guess) and the sentence's features (BADGE: Ash et al., "Deep Batch
Active Learning by Diverse, Uncertain Gradient Lower Bounds", 2020). The scorer gives no features out, so the TF-IDF of
the words takes their place. Sentences are taken farthest first (Gonzalez, 1985) from zero, where the model has nothing
to learn, and from all those taken before; BADGE draws them at random, in which there would be no order to stop at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.records import OnrecordError


def rank(texts: Sequence[str], probabilities: NDArray[np.floating], n: int) -> list[int]:
    """Return the indices of at most `n` sentences, the most instructive first.

    Args:
        texts: The sentences.
        probabilities: `[len(texts), 4]`, calibrated.
        n: How many.

    Raises:
        OnrecordError: scikit-learn is missing.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as error:
        raise OnrecordError(f"suggesting needs the extra 'eval': pip install 'onrecord[eval]' ({error})") from error
    tfidf = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")  # noqa: S106
    words = tfidf.fit_transform(texts)  # rows of length 1
    p = np.asarray(probabilities, dtype=np.float64)
    gradient = p - np.eye(p.shape[1])[p.argmax(axis=1)]
    size = (gradient**2).sum(axis=1)
    distance = size.copy()  # squared, to the nearest of those taken and of zero
    taken: list[int] = []
    while len(taken) < min(n, len(texts)):
        best = int(distance.argmax())
        if distance[best] <= 1e-12:  # all that is left says what has been taken already
            break
        taken.append(best)
        alike = (words @ words[best].T).toarray()[:, 0] * (gradient @ gradient[best])
        distance = np.minimum(distance, size + size[best] - 2 * alike)
        distance[best] = 0.0
    return taken
