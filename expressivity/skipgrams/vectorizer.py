"""Skip-gram features for scikit-learn's estimators, in the manner of its ``CountVectorizer``."""

from __future__ import annotations

import json
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from expressivity.errors import InputError
from expressivity.skipgrams.encode import Encoded, Ints, encode
from expressivity.skipgrams.features import Feature
from expressivity.skipgrams.lexicon import Lexicon, Looked
from expressivity.skipgrams.model import SkipGrams


class SkipGramVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn contexts into a sparse matrix of skip-n-gram features.

    A linear classifier on these features is the skip-n-gram ensemble of that order: what ``features_of`` lists for
    ``SkipGrams(order, positions)``, value for value. Exact; features are numbered, not hashed.

    What is transformed is either *contexts*, sequences of tokens with the destination last (or an array with such
    rows), or a *corpus*, a sequence or a one-dimensional array of tokens, of which every token is the destination of
    one context: row i of the matrix describes what precedes token i + 1. The first tokens of a corpus have fewer
    sources, and so has every token after a cut, for example one that cross-validation makes. Tokens are texts or
    integers; an integer is the same token as its decimal digits.

    Args:
        order: the n of skip-n-gram: conjunctions of the destination with at most n − 2 sources; 3 is a skip-trigram.
        positions: ``absolute``, ``anywhere`` or ``count``, as in ``SkipGrams``. Absolute positions are counted from
            the first source that the window keeps.
        window: at most so many sources, those next to the destination; ``None`` keeps all. A corpus needs a number.
        min_df: leave out features of fewer contexts: a number of contexts, or a share of them (a float up to 1).
        max_features: keep only so many features, those with the largest sum of values.
        binary: make every nonzero value 1, which only ``count`` notices.
        dtype: the type of the values.
        sparse_output: whether ``transform`` returns CSR; ``set_output`` to data frames wants ``False``.

    Attributes:
        vocabulary_: the column of each feature's name.
        features_: the features of the columns, as ``Feature``. Columns are ordered by number of sources, then (for
            absolute positions) by length, then by destination and by sources.
        lexicon_: the numbering behind both, which is all that is stored.

    Raises:
        InputError: (a ``ValueError``) a parameter out of range, input that is neither contexts nor a corpus, or no
            feature left.

    >>> vectorizer = SkipGramVectorizer(order=3)
    >>> vectorizer.fit_transform([("A", "C", "Q"), ("B", "C", "Q")]).toarray().tolist()
    [[1, 1, 0, 1], [1, 0, 1, 1]]
    >>> vectorizer.get_feature_names_out().tolist()
    ['Q', 'A@0… Q', 'B@0… Q', 'C@1… Q']
    >>> SkipGramVectorizer(window=2, positions="count").fit_transform([1, 1, 2]).toarray().tolist()
    [[1, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 2]]
    """

    lexicon_: Lexicon
    _kept: Ints | None  # the columns of the lexicon that max_features leaves; None for all

    def __init__(
        self,
        order: int = 3,
        positions: str = "absolute",
        *,
        window: int | None = None,
        min_df: float = 1,
        max_features: int | None = None,
        binary: bool = False,
        dtype: npt.DTypeLike = np.int64,
        sparse_output: bool = True,
    ) -> None:
        self.order = order
        self.positions = positions
        self.window = window
        self.min_df = min_df
        self.max_features = max_features
        self.binary = binary
        self.dtype = dtype
        self.sparse_output = sparse_output

    def fit(self, X: Any, y: Any = None) -> SkipGramVectorizer:
        """Learn which features occur.

        Args:
            X: contexts or a corpus.
            y: ignored.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn which features occur, and return their values: ``fit(X).transform(X)``, in about half the time.

        Args:
            X: contexts or a corpus.
            y: ignored.

        Returns:
            CSR, ``[contexts, features]``.
        """
        encoded, looked = self._learn(X)
        return self._matrix(encoded, looked)

    def transform(self, X: Any) -> Any:
        """The values of the features that were learnt; others are dropped.

        Args:
            X: contexts or a corpus.

        Returns:
            CSR, ``[contexts, features]``.

        Raises:
            NotFittedError: nothing was learnt yet.
        """
        check_is_fitted(self)
        encoded = encode(X, self.lexicon_.tokens, window=self._window())
        return self._matrix(encoded, self.lexicon_.look_up(encoded))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The names of the columns, as ``Feature`` writes them: ``A@0… C@1… Q``, ``A… C… Q``.

        Contexts of several lengths can make two features with one name; then the number of sources is added to both:
        ``A@0… Q (2 sources)``. Should tokens be such that names still coincide, all are written as JSON.

        Args:
            input_features: ignored, as in scikit-learn's vectorizers.
        """
        return np.array(_names(self.features_), dtype=object)

    @property
    def features_(self) -> list[Feature]:
        """The features of the columns."""
        check_is_fitted(self)
        return self.lexicon_.features(self._kept)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """The column of each feature's name."""
        return {name: column for column, name in enumerate(_names(self.features_))}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        return tags

    def _learn(self, X: Any) -> tuple[Encoded, list[Looked]]:
        model = SkipGrams(_whole("order", self.order, 2), self.positions)
        limit = None if self.max_features is None else _whole("max_features", self.max_features, 1)
        encoded = encode(X, window=self._window())
        if not encoded.size:
            raise InputError("contexts is empty; expected at least one context to learn from")
        lexicon, looked = Lexicon.learn(encoded, model, min_df=self._least(encoded.size))
        if not len(lexicon):
            raise InputError(
                f"no feature occurs in min_df = {self.min_df} of {encoded.size} contexts; try a lower min_df"
            )
        self.lexicon_ = lexicon
        self._kept = None
        if limit is not None and limit < len(lexicon):
            totals = lexicon.matrix(looked, encoded.size, binary=self.binary).sum(axis=0)
            self._kept = np.sort(np.argsort(-totals, kind="stable")[:limit])
        return encoded, looked

    def _matrix(self, encoded: Encoded, looked: list[Looked]) -> Any:
        matrix = self.lexicon_.matrix(looked, encoded.size, dtype=self.dtype, binary=self.binary)
        if self._kept is not None:
            matrix = matrix[:, self._kept]
        if not self.sparse_output:
            return matrix.toarray()
        # scikit-learn lets its users choose between SciPy's two interfaces; releases that do not ask use matrices.
        return matrix if get_config().get("sparse_interface") == "sparray" else sp.csr_matrix(matrix)

    def _window(self) -> int | None:
        return None if self.window is None else _whole("window", self.window, 0)

    def _least(self, contexts: int) -> int:
        """The number of contexts that ``min_df`` means."""
        if isinstance(self.min_df, Integral):
            return _whole("min_df", self.min_df, 1)
        if isinstance(self.min_df, Real) and 0 <= self.min_df <= 1:
            return int(np.ceil(float(self.min_df) * contexts))
        raise InputError(f"min_df is {self.min_df!r}; expected a number of contexts, or a share between 0.0 and 1.0")


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} is {value!r}; expected an integer of at least {least}")
    return int(value)


def _names(features: list[Feature]) -> list[str]:
    """A name for each feature, no two the same."""
    names = list(map(str, features))
    if len(set(names)) == len(names):
        return names
    seen, shared = set[str](), set[str]()
    for name in names:
        (shared if name in seen else seen).add(name)
    longer = [
        f"{name} ({feature.length} source{'s' if feature.length != 1 else ''})" if name in shared else name
        for name, feature in zip(names, features, strict=True)
    ]
    if len(set(longer)) == len(longer):
        return longer
    return [json.dumps(feature, ensure_ascii=False) for feature in features]
