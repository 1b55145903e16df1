from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from expressivity.attention import (
    AttentionOnlyTransformer,
    Head,
    HeadTables,
    compile_tables,
    enclosed_margins,
    exact_margins,
    float_margins,
    read_tables,
)
from expressivity.errors import InputError
from expressivity.task import Task, xor
from tests.attention.random_tables import small_tasks, tables


def random_model(embedding: str, **sizes: Any) -> AttentionOnlyTransformer:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"n_ctx": 3, "n_heads": 2, "d_model": 5, "d_head": 2, "dtype": torch.float64} | sizes
    model = AttentionOnlyTransformer("ABQ", "FT", embedding=embedding, **shape)  # type: ignore[arg-type]
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    if embedding != "additive":
        torch.nn.init.zeros_(model.W_pos)
    return model


@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_logits_are_those_of_torchs_own_attention(embedding: str, n_layers: int) -> None:
    model = random_model(embedding, n_layers=n_layers, attn_scale=1.7)
    tokens = torch.tensor([[0, 1, 2], [2, 2, 0]])
    rows = tokens + torch.arange(3) * 3 if embedding == "joint" else tokens
    x = model.W_E[rows] + model.W_pos[:3]
    for block in model.blocks:
        added = torch.zeros_like(x)
        for h in range(2):
            q, k, v = (x @ w[h] for w in (block.W_Q, block.W_K, block.W_V))  # type: ignore[union-attr, operator, index]
            added += scaled_dot_product_attention(q, k, v, is_causal=True, scale=1 / 1.7) @ block.W_O[h]  # type: ignore[union-attr, index, operator]
        x = x + added
    assert torch.allclose(model(tokens), x @ model.W_U, atol=1e-12)


def test_names_and_shapes_are_transformer_lenss() -> None:
    model = random_model("additive")
    assert {name: tuple(weights.shape) for name, weights in model.named_parameters()} == {
        "W_E": (3, 5),
        "W_pos": (3, 5),
        "W_U": (5, 2),
        "blocks.0.W_Q": (2, 5, 2),
        "blocks.0.W_K": (2, 5, 2),
        "blocks.0.W_V": (2, 5, 2),
        "blocks.0.W_O": (2, 2, 5),
    }
    assert model.W_Q is model.blocks[0].W_Q
    with pytest.raises(AttributeError, match=r"W_Q of which layer\? Take model.blocks\[layer\].W_Q"):
        _ = random_model("tokens", n_layers=2).W_Q
    with pytest.raises(AttributeError, match="W_X"):
        _ = model.W_X


def test_the_joint_embedding_has_a_row_for_each_place() -> None:
    assert tuple(random_model("joint").W_E.shape) == (9, 5)


def test_the_future_is_not_seen() -> None:
    model = random_model("additive")
    short, long = model.encode(["AB"]), model.encode(["ABQ"])
    assert torch.allclose(model(long)[:, :2], model(short))


def test_no_heads_at_all() -> None:
    task = Task([("A", "Q")], ["T"], outputs=["F"])
    model = compile_tables(HeadTables("tokens", {((None, "Q"), "T"): Fraction(1)}), task)
    assert model.n_heads == 0
    assert float_margins(model, task).margins == (1.0,)


@given(st.data())
@settings(max_examples=30)
def test_tables_survive_their_weights(data: st.DataObject) -> None:
    """Tables to float64 weights, and back from the stored floats: the same margins to rounding."""
    task = data.draw(small_tasks())
    found = data.draw(tables(task))
    read = read_tables(compile_tables(found, task, dtype=torch.float64))
    for before, after in zip(enclosed_margins(found, task), enclosed_margins(read, task), strict=True):
        assert abs(before.lower - after.lower) < Fraction(1, 10**10)


@given(st.data())
@settings(max_examples=30)
def test_whole_number_tables_survive_their_weights_exactly(data: st.DataObject) -> None:
    # Scores and values that float32 holds, one of each, so that no factor is rounded.
    task = data.draw(small_tasks())
    whole = st.integers(-1000, 1000).map(Fraction)
    (q, s, y) = (None, task.contexts[0].destination), (None, task.contexts[0][0]), task.outputs[-1]
    assume(len(task.outputs) > 1 and s != q)  # else nothing need be written, and nothing is
    head = Head({(s, y): data.draw(whole)}, scores={(q, s): data.draw(whole)})
    found = HeadTables("tokens", {(q, y): data.draw(whole)}, (head,))
    read = read_tables(compile_tables(found, task))
    assert read.in_embedding("joint", task).to_proof() == found.in_embedding("joint", task).to_proof()


@pytest.mark.parametrize("embedding", ["tokens", "additive", "joint"])
def test_tables_of_any_weights_are_their_function(embedding: str) -> None:
    model = random_model(embedding, attn_scale=2.0)
    contexts = [("A", "B", "Q"), ("B", "B", "A"), ("Q", "A"), ("Q",)]
    task = Task(contexts, ["T"] * 4, outputs=["F"])
    run = float_margins(model, task, device="cpu")
    for margin, interval in zip(run.margins, enclosed_margins(read_tables(model), task), strict=True):
        assert margin == pytest.approx(float(interval.lower), abs=1e-12)
    assert read_tables(model).embedding == embedding


def test_a_device_run_leaves_the_model_where_it_was() -> None:
    model = compile_tables(HeadTables("tokens"), xor())
    float_margins(model, xor())
    assert model.W_E.device.type == "cpu"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: random_model("tokens").encode(["AB", "A"]),
            "contexts of [1, 2] tokens; expected one length from 1 to 3",
        ),
        (lambda: random_model("tokens").encode(["AABB"]), "contexts of [4] tokens; expected one length from 1 to 3"),
        (lambda: random_model("tokens").encode(["AX"]), "the model has no token 'X'; it has A, B, Q"),
        (lambda: random_model("sum"), "embedding is 'sum'; expected one of joint, additive, tokens"),
        (lambda: random_model("tokens", d_head=0), "d_head is 0; expected at least 1"),
        (lambda: random_model("tokens", n_heads=-1), "n_heads is -1; expected at least 0"),
        (lambda: random_model("tokens", basis=["x"]), "1 names for 5 residual directions"),
        (
            lambda: AttentionOnlyTransformer("AA", "FT", n_ctx=1, n_heads=1, d_model=1, d_head=1),
            "tokens are ('A', 'A'); expected distinct names, at least one",
        ),
        (lambda: read_tables(random_model("tokens", n_layers=2)), "the model has 2 layers; expected 1"),
    ],
)
def test_bad_models(make: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value) == message


def test_weights_that_are_not_numbers() -> None:
    model = random_model("tokens")
    model.W_U.data[0, 0] = torch.nan
    with pytest.raises(InputError, match="W_U has a weight that is not a finite number"):
        read_tables(model)


@pytest.mark.parametrize("power", [130, 2000])
def test_weights_too_large_for_their_type(power: int) -> None:
    found = HeadTables("tokens", {((None, "Q"), "T"): Fraction(2) ** power})
    with pytest.raises(InputError) as error:
        compile_tables(found, xor())
    assert str(error.value) == f"W_E needs a weight of about 2^{power}, which torch.float32 does not hold"


def test_margins_of_compiled_additive_tables_by_hand() -> None:
    # A at 0 against A at 1 in contexts A B Q and B A Q: a position score log 3 on position 0, so A gets 3/5 or 1/5.
    a, position, q = (None, "A"), (0, None), (None, "Q")
    head = Head({(a, "T"): Fraction(5)}, odds={(q, position): Fraction(3)})
    found = HeadTables("additive", {(q, "F"): Fraction(2)}, (head,))
    task = Task([("A", "B", "Q"), ("B", "A", "Q")], ["T", "F"])
    assert exact_margins(found, task) == (1, 1)  # 3 − 2 and 2 − 1
    assert float_margins(compile_tables(found, task), task).margins == pytest.approx((1.0, 1.0), abs=1e-6)


def test_shapes_are_those_of_the_annotations() -> None:
    from beartype import beartype
    from jaxtyping import jaxtyped

    model = random_model("tokens")
    checked = jaxtyped(typechecker=beartype)(AttentionOnlyTransformer.forward)
    assert checked(model, model.encode(["ABQ"])).shape == (1, 3, 2)
    with pytest.raises(TypeError):
        checked(model, model.encode(["ABQ"])[0])
