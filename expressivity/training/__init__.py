"""Models trained: on finite tasks, on forced trigrams, on repeated tokens, on text; one, or many seeds side by side."""

from expressivity.training.text import Corpus, read_corpus
from expressivity.training.tokenizer import BytePairs

__all__ = ["BytePairs", "Corpus", "read_corpus"]
