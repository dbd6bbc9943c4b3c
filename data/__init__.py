"""Labels and records, the corpus, labelled rows, articles, and sentence segmentation."""
