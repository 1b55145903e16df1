"""What stands in a model's weights: its embedding, its heads, its unembedding, as tables over tokens."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from expressivity.attention.models.lens import from_transformer_lens
from expressivity.attention.models.transformer import AttentionOnlyTransformer
from expressivity.circuits.tables import Factored
from expressivity.errors import InputError
from expressivity.task.tokens import describe

MLP = "the model has an MLP, which is not linear in what the heads write"


class HeadName(NamedTuple):
    """A head by its layer and its number there, both from 0; written ``1.0``."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.head}"


Path = tuple[HeadName, ...]
"""Heads in the order in which information goes through them; the empty one is the direct path."""


def path_name(path: Path) -> str:
    """``direct``, a head, or heads one after the other.

    >>> path_name(()), path_name((HeadName(0, 1), HeadName(1, 0)))
    ('direct', '0.1 → 1.0')
    """
    return " → ".join(map(str, path)) or "direct"


@dataclass(frozen=True, eq=False)
class Circuits:
    """The circuits of an attention-only model, in float64.

    Tables are over *rows* of the embedding: tokens, or in the ``joint`` embedding tokens at positions, written
    ``token@position``. In the ``additive`` one, what positions contribute is in tables of its own.

    Attributes:
        model: the weights; where there is an MLP, of all but that.
        whole: what is run where there is an MLP.
        obstacle: why the weights do not tell everything; empty for attention alone.
        biased: whether the last direction of the residual stream is 1 at every position and carries biases.

    >>> from expressivity.heads.gallery import load_construction
    >>> circuits = Circuits.of(load_construction("two_head_xor"))
    >>> circuits.heads
    (HeadName(layer=0, head=0), HeadName(layer=0, head=1))
    >>> circuits.qk("0.0").at("Q", "B"), round(circuits.ov("0.1").at("D", "T"), 6)
    (10000.0, 1.0)
    """

    model: AttentionOnlyTransformer
    whole: Callable[..., Any] | None = None
    obstacle: str = ""
    biased: bool = False

    @classmethod
    def of(
        cls,
        source: Any,
        *,
        tokens: Iterable[str] | None = None,
        outputs: Iterable[str] | None = None,
        device: str | None = None,
    ) -> Circuits:
        """Read a model.

        Args:
            source: a model of ours, what has ``to_model()`` (a construction), or a model of TransformerLens. Of one
                with MLPs, what does not go through them is read.
            tokens, outputs: names, for a model of TransformerLens.
            device: where tables are multiplied and the model is run.

        Raises:
            InputError: a model with layer norms or rotated positions, or none at all.
        """
        if isinstance(source, Circuits):
            return source
        if hasattr(source, "to_model"):
            source = source.to_model()
        if isinstance(source, AttentionOnlyTransformer):
            return cls(_double(source, device))
        if isinstance(getattr(source, "attention", None), AttentionOnlyTransformer):
            whole = _double(source, device)
            return cls(whole.attention, whole, MLP)
        if not (hasattr(source, "state_dict") and hasattr(source, "cfg")):
            raise InputError(f"found {describe(source)}; expected a model of attention, or a construction")
        config = source.cfg
        norm = _setting(config, "normalization_type")
        if norm is not None or _setting(config, "final_rms"):
            raise InputError(
                f"the model normalises ({describe(norm)}): every position is divided by a length of its own, so that "
                "no table of tokens holds; folding moves the weights of a layer norm, not that division, and one "
                "before the unembedding alone is enough"
            )
        given: dict[str, Any] = {"tokens": tokens, "outputs": outputs, "absorb_biases": True}
        if _setting(config, "attn_only") is not False:
            read = _double(from_transformer_lens(source, **given), device)
            return cls(read, biased=_is_biased(read, source.state_dict()))
        kept = {key: value for key, value in source.state_dict().items() if "mlp" not in key}
        settings: Mapping[str, Any] = config if isinstance(config, Mapping) else vars(config)
        without = SimpleNamespace(
            state_dict=lambda: kept, cfg={**settings, "attn_only": True}, blocks=getattr(source, "blocks", ())
        )
        read = _double(from_transformer_lens(without, **given), device)
        return cls(read, source, MLP, _is_biased(read, kept))

    @classmethod
    def from_tables(
        cls,
        tokens: Sequence[str],
        outputs: Sequence[str],
        scores: Any,
        values: Any,
        direct: Any = None,
        *,
        n_ctx: int = 2,
    ) -> Circuits:
        """A model of one head that has these tables.

        Args:
            tokens, outputs: their names.
            scores: by destination and source, shape ``[tokens, tokens]``.
            values: what each source writes, shape ``[tokens, outputs]``.
            direct: the direct path, by destination, shape ``[tokens, outputs]``; 0 if left out.
            n_ctx: the longest context.

        Raises:
            InputError: a table of another shape.
        """
        v, o = len(tokens), len(outputs)
        given = {"scores": (scores, (v, v)), "values": (values, (v, o)), "direct": (direct, (v, o))}
        found: dict[str, Tensor] = {}
        for name, (table, shape) in given.items():
            found[name] = torch.zeros(shape) if table is None else torch.as_tensor(table, dtype=torch.float64)
            if tuple(found[name].shape) != shape:
                raise InputError(f"{name} has the shape {list(found[name].shape)}; expected {list(shape)}")
        model = AttentionOnlyTransformer(
            tokens, outputs, n_ctx=n_ctx, n_heads=1, d_model=v + o, d_head=v, dtype=torch.float64
        )
        layer: Any = model.blocks[0]
        with torch.no_grad():
            model.W_E[:, :v], model.W_E[:, v:], model.W_U[v:] = torch.eye(v), found["direct"], torch.eye(o)
            layer.W_Q[0, :v], layer.W_K[0, :v], layer.W_V[0, :v] = found["scores"], torch.eye(v), torch.eye(v)
            layer.W_O[0, :, v:] = found["values"]
        return cls(_double(model, None))

    # -------------------------------------------------------------------------------------------- names

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the logits."""
        return self.model.outputs

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """The names of the embedding's rows."""
        tokens = self.model.tokens
        if self.model.embedding != "joint":
            return tokens
        return tuple(f"{token}@{place}" for place in range(self.model.n_ctx) for token in tokens)

    @property
    def heads(self) -> tuple[HeadName, ...]:
        """All heads, layer by layer."""
        layers = range(len(self.model.blocks))
        return tuple(HeadName(layer, head) for layer in layers for head in range(self.model.n_heads))

    def head(self, name: str | HeadName | tuple[int, int]) -> HeadName:
        """The head of that name.

        Raises:
            InputError: there is none.
        """
        known = {str(head): head for head in self.heads}
        text = name if isinstance(name, str) else ".".join(map(str, name))
        if text not in known:
            listed = ", ".join(list(known)[:20]) or "none"
            raise InputError(f"there is no head {text}; expected LAYER.HEAD, counted from 0: {listed}")
        return known[text]

    def path(self, names: str | Iterable[Any]) -> Path:
        """Heads of rising layers, ``"0.1 → 1.0"`` or one by one.

        Raises:
            InputError: no such head, or layers that do not rise.
        """
        given: list[Any] = names.replace("→", " ").split() if isinstance(names, str) else list(names)
        if len(given) == 2 and all(isinstance(part, int) for part in given):
            given = [tuple(given)]
        path = tuple(self.head(name) for name in given)
        if any(a.layer >= b.layer for a, b in pairwise(path)):
            raise InputError(f"{path_name(path)}: expected heads of rising layers")
        return path

    # -------------------------------------------------------------------------------------------- tables

    def qk(self, head: Any, *, query: Any = (), key: Any = ()) -> Factored:
        """Scores by destination (rows) and source (columns), the tokens' part.

        Args:
            head: which.
            query, key: earlier heads that the head reads through: Q- and K-composition. By default it reads the
                embedding itself.
        """
        return self._qk(head, self.rows, self.rows, self._through(query, self._rows), self._through(key, self._rows))

    def qk_positions(self, head: Any) -> dict[str, Factored]:
        """What positions add to scores in the ``additive`` embedding: token by position, position by token, both.

        Destinations are rows, sources columns. A score is the sum of :meth:`qk` and of these three.
        """
        if not self.has_positions:
            return {}
        places = tuple(map(str, range(self.model.n_ctx)))
        token, place = self._rows, self.model.W_pos
        return {
            "token × position": self._qk(head, self.rows, places, token, place),
            "position × token": self._qk(head, places, self.rows, place, token),
            "position × position": self._qk(head, places, places, place, place),
        }

    def ov(self, head: Any) -> Factored:
        """What is written to the logits (columns) from each token (rows), by a head or by heads in turn."""
        return self._ov(head, self._rows, self.rows)

    def ov_positions(self, head: Any) -> Factored | None:
        """What is written from each position in the ``additive`` embedding."""
        if not self.has_positions:
            return None
        return self._ov(head, self.model.W_pos, tuple(map(str, range(self.model.n_ctx))))

    @property
    def direct(self) -> Factored:
        """The direct path: the bigram table, logits (columns) after each token (rows)."""
        return Factored(self._rows, self.model.W_U, self.rows, self.outputs)

    @property
    def direct_positions(self) -> Factored | None:
        """The logits that each position adds in the ``additive`` embedding."""
        if not self.has_positions:
            return None
        return Factored(self.model.W_pos, self.model.W_U, tuple(map(str, range(self.model.n_ctx))), self.outputs)

    @cached_property
    def has_positions(self) -> bool:
        """Whether positions have vectors of their own."""
        return self.model.embedding == "additive" and bool(self.model.W_pos.any())

    def causal(self, start: int, stop: int) -> Tensor:
        """For destinations from one row to another: the sources that can stand before them."""
        rows = torch.arange(len(self.rows))
        if self.model.embedding != "joint":
            return torch.ones(stop - start, len(rows), dtype=torch.bool)
        places = rows // len(self.model.tokens)
        return places[start:stop, None] > places[None]

    def weights(self, head: HeadName) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``W_Q``, ``W_K``, ``W_V``, each ``[d_model, d_head]``, and ``W_O`` ``[d_head, d_model]``.

        Without biases: no head writes to the direction that carries them, so no head composes through it.
        """
        layer: Any = self.model.blocks[head.layer]
        query = layer.W_Q[head.head]
        if self.biased:
            query = torch.cat([query[:-1], torch.zeros_like(query[-1:])])
        return query, layer.W_K[head.head], layer.W_V[head.head], layer.W_O[head.head]

    @property
    def _rows(self) -> Tensor:
        return self.model.W_E

    def _through(self, path: Any, stream: Tensor) -> Tensor:
        for name in self.path(path):
            *_, value, output = self.weights(name)
            stream = stream @ value @ output
        return stream

    def _qk(self, head: Any, rows: Sequence[str], columns: Sequence[str], ends: Tensor, sources: Tensor) -> Factored:
        layer, number = self.head(head)
        block: Any = self.model.blocks[layer]
        query, key = block.W_Q[number], block.W_K[number]
        return Factored(ends @ query / self.model.attn_scale, (sources @ key).T, rows, columns)

    def _ov(self, head: Any, stream: Tensor, rows: Sequence[str]) -> Factored:
        path = self.path(head)
        if not path:
            return Factored(stream, self.model.W_U, rows, self.outputs)
        *_, value, output = self.weights(path[-1])
        return Factored(self._through(path[:-1], stream) @ value, output @ self.model.W_U, rows, self.outputs)

    # -------------------------------------------------------------------------------------------- runs

    @torch.no_grad()
    def logits(self, tokens: Tensor) -> Tensor:
        """Of the whole model, at every position; shape ``[batch, pos, outputs]``, float64."""
        if self.whole is None:
            found: Tensor = self.model(tokens)
            return found
        return torch.as_tensor(self.whole(tokens)).double()

    @torch.no_grad()
    def patterns(self, tokens: Tensor) -> list[Tensor]:
        """Of each layer, shape ``[batch, n_heads, pos, pos]``.

        Raises:
            InputError: behind an MLP, if the model has no ``run_with_cache``.
        """
        stream = self.model.embed(tokens)
        found: list[Tensor] = []
        mlps = getattr(self.whole, "mlps", None)
        if self.whole is not None and mlps is None and len(self.model.blocks) > 1:
            runner = getattr(self.whole, "run_with_cache", None)
            if runner is None:
                raise InputError(f"patterns behind the first layer cannot be read: {self.obstacle}")
            cache = runner(tokens)[1]
            return [cache[f"blocks.{k}.attn.hook_pattern"].double() for k in range(len(self.model.blocks))]
        for k, block in enumerate(self.model.blocks):
            found.append(block.pattern(stream))  # type: ignore[operator]
            stream = stream + block(stream)
            stream = stream if mlps is None else stream + mlps[k](stream)
        return found

    def needs_attention_alone(self, what: str) -> None:
        """Refuse what an MLP breaks.

        Raises:
            InputError: there is one.
        """
        if self.obstacle:
            raise InputError(f"{what}: {self.obstacle}")


def _double(model: Any, device: str | None) -> Any:
    try:
        return copy.deepcopy(model).double().to(device).requires_grad_(False)
    except (RuntimeError, AssertionError) as error:  # torch raises nothing narrower for a device that is not there
        raise InputError(f"device {device!r}: {str(error).partition(chr(10))[0]}") from None


def _is_biased(model: AttentionOnlyTransformer, state: Mapping[str, Tensor]) -> bool:
    """Whether reading a state dict added a direction for its biases."""
    width = next(tensor.shape[-1] for key, tensor in state.items() if key in ("embed.W_E", "embed.weight"))
    return model.d_model > width


def _setting(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
