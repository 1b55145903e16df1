"""Reading models: tables against the forward pass, TransformerLens by attribute, what is refused and why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from expressivity.attention import lens_config, lens_state_dict
from expressivity.circuits import Circuits, find_bugs, importance, looks, mean_loss
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import Task
from tests.circuits.random_models import random_model


def test_scores_are_the_sum_of_tokens_and_positions() -> None:
    model = random_model()
    circuits = Circuits.of(model)
    tokens = torch.tensor([[3, 1, 4, 1]])
    stream, layer = model.embed(tokens)[0], model.blocks[0]
    scores = (stream @ layer.W_Q[1]) @ (stream @ layer.W_K[1]).T / 1.5
    qk, parts = circuits.qk("0.1"), circuits.qk_positions("0.1")
    assert set(parts) == {"token × position", "position × token", "position × position"}
    for i, j in ((3, 1), (2, 0), (1, 1)):
        end, source = int(tokens[0, i]), int(tokens[0, j])
        total = (
            qk.cell(end, source) + parts["token × position"].cell(end, j) + parts["position × token"].cell(i, source)
            + parts["position × position"].cell(i, j)
        )  # fmt: skip
        assert total == pytest.approx(float(scores[i, j]), abs=1e-12)


def test_values_and_the_direct_path_make_the_logits() -> None:
    """One layer: direct path of token and position, and for each head its pattern times what is written."""
    model = random_model()
    circuits, tokens = Circuits.of(model), torch.tensor([[0, 2, 4, 2, 1]])
    places = torch.arange(5)
    total = circuits.direct.dense()[tokens[0]] + circuits.direct_positions.dense()[places]  # type: ignore[union-attr]
    for head in circuits.heads:
        written = circuits.ov(head).dense()[tokens[0]] + circuits.ov_positions(head).dense()[places]  # type: ignore[union-attr]
        total = total + circuits.patterns(tokens)[0][0, head.head] @ written
    assert torch.allclose(total, model(tokens)[0], atol=1e-12)


def test_the_tables_of_the_post_are_read_off() -> None:
    """S1: head 1 attends from Q to B rather than A and writes T from C; head 2 the reverse."""
    circuits = Circuits.of(load_construction("two_head_xor"))
    for head, sign in (("0.0", 1), ("0.1", -1)):
        qk, ov = circuits.qk(head), circuits.ov(head)
        assert [round(qk.at("Q", x)) for x in "ABCDQ"] == [-10_000 * sign, 10_000 * sign, 0, 0, -10_000]
        difference = [ov.at(x, "T") - ov.at(x, "F") for x in "ABCDQ"]
        assert difference == pytest.approx([0, 0, sign, -sign, 0], abs=1e-6)


def test_tables_become_a_model_that_has_them() -> None:
    scores, values, direct = torch.randn(3, 3), torch.randn(3, 2), torch.randn(3, 2)
    circuits = Circuits.from_tables("abq", "xy", scores, values, direct, n_ctx=3)
    assert torch.allclose(circuits.qk("0.0").dense(), scores.double())
    assert torch.allclose(circuits.ov("0.0").dense(), values.double())
    assert torch.allclose(circuits.direct.dense(), direct.double())
    with pytest.raises(InputError, match=r"values has the shape \[3, 3\]; expected \[3, 2\]"):
        Circuits.from_tables("abq", "xy", scores, scores)


def test_positions_are_in_the_rows_of_the_joint_embedding() -> None:
    circuits = Circuits.of(random_model(embedding="joint", tokens="ab", outputs="xy", n_ctx=2))
    assert circuits.rows == ("a@0", "b@0", "a@1", "b@1")
    assert circuits.causal(2, 4).tolist() == [[True, True, False, False]] * 2
    assert not circuits.qk_positions("0.0")


def lens_like(model: Any, **changes: Any) -> Any:
    """What a model of TransformerLens shows of itself."""
    config = {**vars(lens_config(model))} if not isinstance(lens_config(model), dict) else dict(lens_config(model))
    return SimpleNamespace(cfg={**config, **changes}, state_dict=lambda: lens_state_dict(model))


def test_a_model_of_transformer_lens_is_read() -> None:
    model = random_model()
    circuits = Circuits.of(lens_like(model), tokens="abcde")
    ours = Circuits.of(model)
    assert torch.allclose(circuits.qk("0.1").dense(), ours.qk("0.1").dense(), atol=1e-9)
    assert torch.allclose(circuits.ov("0.0").dense(), ours.ov("0.0").dense(), atol=1e-9)


@pytest.mark.parametrize(
    "changes", [{"normalization_type": "LNPre"}, {"normalization_type": "LN"}, {"final_rms": True}]
)
def test_layer_norms_are_refused_with_the_reason(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="divided by a length of its own"):
        Circuits.of(lens_like(random_model(), **changes))


class WithMLP:
    """One layer of attention and an MLP that doubles what it sees, in TransformerLens's manner."""

    def __init__(self) -> None:
        self.bare = random_model()
        like = lens_like(self.bare, attn_only=False)
        self.cfg = like.cfg
        self.state_dict = lambda: {**like.state_dict(), "blocks.0.mlp.W_in": torch.zeros(7, 2)}

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        stream = self.bare.embed(tokens)
        return 2 * (stream + self.bare.blocks[0](stream)) @ self.bare.W_U


def test_what_an_mlp_breaks_is_refused_and_the_rest_is_done() -> None:
    model = WithMLP()
    circuits = Circuits.of(model, tokens="abcde", outputs="abcde")
    assert torch.allclose(circuits.ov("0.1").dense(), Circuits.of(model.bare).ov("0.1").dense(), atol=1e-9)
    assert len(looks(circuits)) == 2
    data = [[0, 1, 2], [3, 4, 1]]
    tokens, doubled = torch.tensor(data), 2 * model.bare(torch.tensor(data))[:, :2]
    by_hand = torch.nn.functional.cross_entropy(doubled.reshape(4, 5), tokens[:, 1:].reshape(4))
    assert mean_loss_of(circuits, data) == pytest.approx(float(by_hand), abs=1e-9)
    for refused in (importance, find_bugs):
        with pytest.raises(InputError, match="has an MLP, which is not linear"):
            refused(circuits, data)


def mean_loss_of(circuits: Circuits, data: Any) -> float:
    from expressivity.circuits import Data

    return mean_loss(circuits, Data.of(data, circuits))


def test_an_mlp_of_our_own_is_read_too() -> None:
    mlp = pytest.importorskip("expressivity.attention.models.mlp")
    model = mlp.MLPTransformer(random_model(layers=2), 3)
    for weight in model.mlps.parameters():
        torch.nn.init.normal_(weight)
    circuits, tokens = Circuits.of(model), torch.tensor([[0, 1, 2]])
    assert circuits.obstacle
    assert torch.allclose(circuits.logits(tokens), model(tokens))
    stream = model.attention.embed(tokens)
    stream = stream + model.attention.blocks[0](stream)
    stream = stream + model.mlps[0](stream)
    assert torch.allclose(circuits.patterns(tokens)[1], model.attention.blocks[1].pattern(stream))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[0, 9]], "have the token 9; the model has tokens 0 to 4"),
        ([[0]], "sequences have 1 tokens; expected 2 to 7"),
        ([[0] * 9], "sequences have 9 tokens"),
        ([[0.5, 1.0]], "are float64"),
        ([], "expected whole numbers"),
        ([[1], [1, 2]], "no array"),
    ],
)
def test_data_that_do_not_fit_are_refused(data: Any, message: str) -> None:
    from expressivity.circuits import Data

    with pytest.raises(InputError, match=message):
        Data.of(data, Circuits.of(random_model()))


def test_contexts_count_with_their_probabilities() -> None:
    """Uniform logits over five outputs: ln 5 whatever is asked; a certain output a at weight 3 beside."""
    from expressivity.circuits import Data

    circuits = Circuits.from_tables("abq", "xyz", torch.zeros(3, 3), torch.zeros(3, 3), torch.tensor([[0, 0, 0.0]] * 3))
    task = Task.from_text("a q -> x:0.9 y:0.1\nb q -> z @ 3\nq -> x = y\n")
    data = Data.of(task, circuits)
    assert (data.weight, data.predictions, data.is_text) == (pytest.approx(5), 5, False)
    assert mean_loss(circuits, data) == pytest.approx(1.0986122886681098)
    with pytest.raises(InputError, match="says nothing of probabilities"):
        Data.of(Task.from_text("a q -> x | y\n"), circuits)


def test_heads_that_are_not_there_are_named() -> None:
    circuits = Circuits.of(random_model(layers=2))
    for name in ("2.0", "0.2", "x", "0"):
        with pytest.raises(InputError, match=f"there is no head {name}; expected LAYER.HEAD"):
            circuits.head(name)
    with pytest.raises(InputError, match="expected heads of rising layers"):
        circuits.ov("1.0 → 0.1")
    with pytest.raises(InputError, match="expected a model of attention"):
        Circuits.of(3)
