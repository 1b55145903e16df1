"""A whole audit: ensembles fitted on each text, judged on every text, beside tables read off the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic
from typing import Any

import numpy as np
import torch

from expressivity.audit.attribution import HeadFindings, by_head
from expressivity.audit.bootstrap import Estimate, bootstrap
from expressivity.audit.certified import CONTEXTS, GapBound, certify_gap
from expressivity.audit.ensemble import SOLVED, Ensemble, divergence, fit, from_coordinates
from expressivity.audit.forward import Audited, core_of, text_of
from expressivity.audit.grams import CONVENTIONS, Grams, Lexicon
from expressivity.audit.measures import Contexts, estimates, mean_coordinates, of_ensemble, of_tables
from expressivity.audit.projection import Projection, project, squared_error
from expressivity.audit.stream import KEPT, PART, Stream
from expressivity.audit.tables import Denominators, average_denominators
from expressivity.audit.text import Array, Text, Windows, cut
from expressivity.errors import InputError

ORDERS = (2, 3, 4, 5)
FITTED, JUDGED, FEATURES = 200_000, 20_000, 1 << 16
VALIDATION = 0.1
WORST = 5
_SHOWN = 12  # tokens of a context that are printed


@dataclass(frozen=True)
class Settings:
    """What was asked: see :func:`audit`."""

    orders: tuple[int, ...] = ORDERS
    convention: str = "anywhere"
    window: int | None = None
    last: bool = False
    reach: int | None = None
    contexts: int = FITTED
    judged: int = JUDGED
    features: int = FEATURES
    least: int = 2
    validation: float = VALIDATION
    certified: int = CONTEXTS
    seed: int = 0
    device: str | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        if not self.orders or any(type(n) is not int or n < 2 for n in self.orders):
            raise InputError(f"orders are {list(self.orders)}; expected integers of at least 2 (2 is a bigram)")
        if max(self.orders) > 8:
            raise InputError(f"orders are {list(self.orders)}; expected at most 8")
        if self.convention not in CONVENTIONS:
            raise InputError(f"convention is {self.convention!r}; expected one of {', '.join(CONVENTIONS)}")
        for name, least in (("contexts", 1), ("judged", 1), ("features", 1), ("least", 1), ("certified", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if self.reach is not None and self.reach < 1:
            raise InputError(f"reach is {self.reach}; expected at least 1 source")
        if not 0 <= self.validation < 1:
            raise InputError(f"validation is {self.validation}; expected a share from 0 up to, not including, 1")
        if self.time_limit is not None and not (isfinite(self.time_limit) and self.time_limit > 0):
            raise InputError(f"time limit is {self.time_limit}; expected a positive number of seconds")


@dataclass(frozen=True)
class Row:
    """An ensemble or a table on a text.

    Attributes:
        name: what it is.
        order: of an ensemble; ``None`` of a table read off the weights.
        features: how many an ensemble has.
        measures: gap, cross_entropy_model, cross_entropy_data, gap_data, agreement and share, with intervals. Those
            with the text are missing where no token that follows is known.
        bound: the certified lower bound of the gap.
    """

    name: str
    order: int | None
    features: int | None
    measures: dict[str, Estimate]
    bound: GapBound | None = None


@dataclass(frozen=True)
class Fitted:
    """How an order was fitted.

    Attributes:
        gap_fit: the gap on the text fitted on, of which the part set apart is left out: far below the gap on held-out
            text, there was too little to fit on.
        share_fit: of the variance of the logits on the text fitted on; grows with the order.
        passes: of least squares, and how they ended; ``stopped``: how the fit of probabilities ended.
    """

    order: int
    features: int
    gap_fit: float
    share_fit: float
    passes: int
    projected: str
    stopped: str
    free: bool


@dataclass(frozen=True)
class HeadRow:
    """What one head's gate does on a text: the gap of the model with its denominators frozen, and what closes it."""

    head: int
    gap: Estimate
    findings: HeadFindings


@dataclass(frozen=True)
class Missed:
    """A context that an ensemble misses: its last tokens, both top predictions, and whose gate matters most there."""

    context: str
    divergence: float
    model: tuple[str, float]
    ensemble: tuple[str, float]
    order: int
    head: int | None
    head_gap: float | None


@dataclass(frozen=True)
class Judgement:
    """Ensembles fitted on one text, judged on held-out contexts of a text.

    Attributes:
        fitted_on, judged_on: their names.
        contexts: how many; ``units`` of them in so many documents or stretches, which intervals resample.
        entropy: of the model; ``data``: its cross-entropy with the text, ``None`` where none is known.
    """

    fitted_on: str
    judged_on: str
    contexts: int
    units: int
    unit: str
    entropy: float
    data: float | None
    rows: list[Row]
    heads: list[HeadRow]
    missed: list[Missed]

    def row(self, order: int) -> Row:
        """That of an order."""
        return next(row for row in self.rows if row.order == order)


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        name: of the model; ``sizes``: layers, heads, d_model, tokens.
        settings: what was asked; ``window`` is filled in.
        fits: for each text fitted on, how each order was.
        fitted_contexts: how many, for each of these texts.
        judgements: for each text fitted on, on every text.
        memory: bytes that the tables of an ensemble and its fit take at most, what is kept of the text aside.
    """

    name: str
    sizes: dict[str, Any]
    settings: Settings
    fits: dict[str, list[Fitted]]
    fitted_contexts: dict[str, int]
    judgements: list[Judgement]
    memory: int
    bounds: dict[str, dict[int, GapBound]] = field(default_factory=dict)

    def judgement(self, fitted_on: str, judged_on: str) -> Judgement:
        """One of them."""
        return next(j for j in self.judgements if (j.fitted_on, j.judged_on) == (fitted_on, judged_on))


def audit(
    model: Any,
    texts: Sequence[Text],
    *,
    name: str = "model",
    settings: Settings | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """How well skip-n-gram ensembles describe a model on text.

    Args:
        model: torch, with ``tokens``, ``outputs``, ``n_ctx``, and logits for every position.
        texts: ensembles are fitted on each of them, and judged on the held-out part of every one.
        name: of the model.
        settings: orders, convention, windows, sizes, seed, device, time.
        progress: is told the step.

    Raises:
        InputError: settings out of range, a window longer than the model's, or a text with no window.
    """
    asked = settings or Settings()
    core = core_of(model)
    width = core.n_ctx if asked.window is None else asked.window
    if not 2 <= width <= core.n_ctx:
        raise InputError(f"the window is {width} tokens; expected 2 to {core.n_ctx}, the model's context")
    if not texts:
        raise InputError("found no text; expected at least one to fit on")
    asked = Settings(**{**vars(asked), "window": width, "orders": tuple(sorted(set(asked.orders)))})
    fitted = [_windows(text, width, asked, held_out=False) for text in texts]
    judged = [_windows(text, width, asked, held_out=True) for text in texts]
    small = max(len(each.tokens) * width for each in fitted) * len(core.outputs) <= SOLVED * 4
    device = asked.device or ("cuda" if torch.cuda.is_available() else "cpu")
    audited = Audited(model, device=device, dtype=torch.float64 if small else torch.float32)
    deadline = float("inf") if asked.time_limit is None else monotonic() + asked.time_limit
    bounds: dict[str, dict[int, GapBound]] = {}
    for text in texts:
        bounds[text.name] = {}
        for order in asked.orders if asked.certified else ():
            found = certify_gap(
                audited, text.held_out, order, asked.convention, contexts=asked.certified, deadline=deadline,
                progress=progress,
            )  # fmt: skip
            if found is not None:
                bounds[text.name][order] = found
    fits, judgements, memory = {}, [], 0
    for k, (text, windows) in enumerate(zip(texts, fitted, strict=True)):
        until = deadline if asked.time_limit is None else monotonic() + (deadline - monotonic()) / (len(texts) - k)
        many, orders = _fit(audited, windows, asked, until, _under(text.name, progress))
        fits[text.name] = [each for each, _, _ in orders]
        memory = max(memory, many)
        average = average_denominators(audited, windows) if audited.one_layer is not None else None
        for other, held_out in zip(texts, judged, strict=True):
            progress(f"{text.name}: judged on {other.name}")
            judgements.append(
                _judge(audited, text.name, other.name, held_out, orders, average, bounds[other.name], asked.seed)
            )
    sizes = {
        "layers": len(getattr(core, "blocks", ())) or None,
        "heads": getattr(core, "n_heads", None),
        "d_model": getattr(core, "d_model", None),
        "tokens": len(audited.tokens),
        "outputs": len(audited.outputs),
    }
    many_fitted = {text.name: windows.contexts for text, windows in zip(texts, fitted, strict=True)}
    return Audit(name, sizes, asked, fits, many_fitted, judgements, memory, bounds)


def _windows(text: Text, width: int, asked: Settings, *, held_out: bool) -> Windows:
    part = text.held_out if held_out else text.fit
    found = cut(part, width, last=asked.last, contexts=asked.judged if held_out else asked.contexts)
    if not found.contexts:
        what = "held-out part" if held_out else "part to fit on"
        raise InputError(f"{text.name}: its {what} has no window of {width} tokens; expected longer text")
    return found


Order = tuple[Fitted, tuple[Ensemble, Projection], Lexicon]


def _under(name: str, progress: Callable[[str], None]) -> Callable[[str], None]:
    return lambda step: progress(f"{name}: {step}")


def _fit(
    model: Audited, windows: Windows, asked: Settings, deadline: float, progress: Callable[[str], None]
) -> tuple[int, list[Order]]:
    """Every order on one text, the bytes of the tables, and the lexicon."""
    apart = np.zeros(len(windows), dtype=bool)
    if asked.validation and len(windows) >= 20:
        # Stretches of neighbours, spread over the text.
        every = max(2, round(1 / asked.validation))
        apart = np.arange(len(windows)) * 20 * every // len(windows) % every == every - 1
    progress("features")
    grams = Grams(max(asked.orders), asked.convention, windows.tokens.shape[1], asked.reach)
    each = max(1, windows.contexts // len(windows))
    lexicon = Lexicon.learn(
        windows[~apart], grams, capacity=asked.features, least=asked.least, step=max(1, PART // each)
    )
    stream = Stream(windows[~apart], model, lexicon, shuffled=asked.seed)
    validation = Stream(windows[apart], model, lexicon) if apart.any() else None
    weights = torch.zeros(lexicon.starts[-1], model.rank, dtype=model.dtype, device=model.device)
    centre = mean_coordinates(stream)
    variance, many = 0.0, 0
    for part in stream:
        variance += float((part.batch.y - centre).square().sum(dtype=torch.float64))
        many += part.contexts
    before: Ensemble | None = None
    found = []
    memory = 0
    for k, order in enumerate(asked.orders):
        level, left = order - 2, deadline - monotonic()
        until = monotonic() + left / (len(asked.orders) - k)
        said = _under(f"order {order}", progress)
        projection = project(
            stream, validation, level, weights, deadline=monotonic() + (until - monotonic()) * 0.4, progress=said
        )
        weights = projection.weights
        starts = [from_coordinates(weights, model.basis, level)]
        if before is not None:
            starts.append(Ensemble(level, before.weights, before.readout))
        before = fit(stream, validation, starts, deadline=until, seed=asked.seed, progress=said)
        share = 1 - squared_error(stream, level, weights) * many / variance if variance > 0 else 1.0
        free = before.readout is None
        gap = divergence(stream, before)
        told = Fitted(
            order, lexicon.starts[level + 1], gap, share, projection.steps, projection.stopped, before.stopped, free
        )
        found.append((told, (before, projection), lexicon))
        size = weights.element_size()
        memory = max(memory, (4 * weights.numel() + 4 * before.weights.numel()) * size)
    return memory + 96 * asked.features * grams.levels + KEPT, found


def _judge(
    model: Audited, fitted_on: str, judged_on: str, windows: Windows,
    orders: list[Order], average: Denominators | None,
    bounds: dict[int, GapBound], seed: int,
) -> Judgement:  # fmt: skip
    lexicon = orders[0][2]
    stream = Stream(windows, model, lexicon)
    rows, kept = [], {}
    for told, (ensemble, projection), _ in orders:
        contexts = of_ensemble(stream, ensemble, projection)
        kept[told.order] = contexts
        measures = estimates(contexts, seed=seed)
        rows.append(Row(f"order {told.order}", told.order, told.features, measures, bounds.get(told.order)))
    heads: list[HeadRow] = []
    if average is not None:
        for name, contexts in of_tables(model, windows, average, mean_coordinates(stream)).items():
            rows.append(Row(name, None, None, estimates(contexts, seed=seed)))
        ones = np.ones(windows.contexts)
        units = np.broadcast_to(windows.units[:, None], windows.tokens.shape)[windows.graded]
        for h, each in enumerate(by_head(model, windows, average)):
            sums = {"gap": each.gap, "n": ones}
            gap = bootstrap(sums, units, {"gap": lambda of: of["gap"] / of["n"]}, seed=seed)["gap"]
            heads.append(HeadRow(h, gap, each))
    shown = 3 if 3 in kept else max(kept)
    chosen = next(ensemble for told, (ensemble, _), _ in orders if told.order == shown)
    some = next(iter(kept.values()))
    known = some["known"].sum()
    return Judgement(
        fitted_on, judged_on, windows.contexts, len(np.unique(windows.units)), windows.unit,
        float(some["entropy"].mean()), float(some["own_data"].sum() / known) if known else None, rows, heads,
        _missed(model, windows, lexicon, chosen, kept[shown], heads, shown),
    )  # fmt: skip


def _missed(
    model: Audited, windows: Windows, lexicon: Lexicon, ensemble: Ensemble, contexts: Contexts, heads: list[HeadRow],
    order: int,
) -> list[Missed]:  # fmt: skip
    """The contexts with the largest divergence, one of each window."""
    divergence: Array = contexts["divergence"]
    rows, places = np.nonzero(windows.graded)
    found: list[Missed] = []
    seen: set[tuple[int, ...]] = set()
    for i in np.argsort(-divergence, kind="stable").tolist():
        row, place = int(rows[i]), int(places[i])
        tail = tuple(windows.tokens[row, max(0, place + 1 - _SHOWN) : place + 1].tolist())
        if tail in seen:
            continue
        seen.add(tail)
        graded = np.zeros_like(windows.graded[row : row + 1])
        graded[0, place] = True
        one = windows[row : row + 1]
        part = Stream(Windows(one.tokens, one.following, graded, one.units, one.unit), model, lexicon)[0]
        tops = [
            (text_of([model.outputs[int(p.argmax())]]), float(p.max()))
            for p in ((part.batch.y @ model.basis).softmax(-1)[0], ensemble.logits(part).softmax(-1)[0])
        ]
        gaps = [float(each.findings.gap[i]) for each in heads]
        head = int(np.argmax(gaps)) if gaps else None
        found.append(
            Missed(
                ("" if place < _SHOWN else "…") + text_of([model.tokens[t] for t in tail]),
                float(divergence[i]),
                tops[0],
                tops[1],
                order,
                head,
                None if head is None else gaps[head],
            )
        )
        if len(found) == WORST:
            break
    return found
