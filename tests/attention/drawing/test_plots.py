"""What is drawn is what is computed: the numbers in the artists are compared with numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch

from expressivity.attention import (
    AttentionOnlyTransformer,
    Direction,
    Head,
    HeadTables,
    LayeredHead,
    LayeredTables,
    plot_ov,
    plot_path,
    plot_pattern,
    plot_qk,
    plot_tables,
)
from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.heads.gallery import load_construction
from expressivity.task import xor

matplotlib = pytest.importorskip("matplotlib", reason="the extra `pictures` is not installed")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

A, B, Q = (None, "A"), (None, "B"), (None, "Q")
CONTEXT = ("A", "B", "Q")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def small() -> HeadTables:
    head = Head({(A, "T"): 5, (A, "F"): 1, (B, "T"): 2}, odds={(Q, A): Fraction(3)}, name="h")  # type: ignore[dict-item]
    return HeadTables("tokens", {(Q, "F"): Fraction(7)}, (head,))


def mesh(ax: Any) -> np.ndarray[Any, Any]:
    return np.ma.filled(ax.collections[0].get_array().astype(float), np.nan)


def texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def names(ax: Any) -> tuple[list[str], list[str]]:
    return [t.get_text() for t in ax.get_yticklabels()], [t.get_text() for t in ax.get_xticklabels()]


def drawn(ax: Any) -> None:
    ax.figure.savefig(BytesIO(), format="png")


# ------------------------------------------------------------------------------------------------ tables


def test_qk_of_the_post() -> None:
    ax = plot_qk(load_construction("two_head_xor").tables(), 0)
    assert mesh(ax).tolist() == [[-10_000, 10_000, 0, 0, -10_000]]
    assert texts(ax) == ["−10000", "10000", "0", "0", "−10000"]
    assert names(ax) == (["Q"], ["A", "B", "C", "D", "Q"])
    assert ax.get_title("left") == "first is A: score"
    drawn(ax)


def test_ov_of_the_post() -> None:
    ax = plot_ov(load_construction("two_head_xor").tables(), "first is B")
    assert mesh(ax).tolist() == [[0, 0], [0, 0], [1, 0], [0, 1], [0, 0]]  # C writes F, D writes T
    assert names(ax) == (["A", "B", "C", "D", "Q"], ["F", "T"])


def test_odds_are_coloured_to_both_sides_of_one() -> None:
    head = Head(odds={(Q, A): Fraction(9), (Q, B): Fraction(1, 3)})
    ax = plot_qk(HeadTables("tokens", {}, (head,)))
    assert mesh(ax).tolist() == [[9, 1 / 3]]
    assert texts(ax) == ["9", "1/3"]
    norm = ax.collections[0].norm
    assert float(norm(1.0)) == pytest.approx(0.5)
    assert float(norm(9.0)) - 0.5 == pytest.approx(2 * (0.5 - float(norm(1 / 3))))  # log 9 = 2 log 3


def test_all_tables_in_one_figure() -> None:
    room = plot_tables(small())
    qk, ov, direct = room.child_axes
    assert mesh(qk).tolist() == [[3], [1]]
    assert names(qk) == (["A", "B"], ["Q"])
    assert mesh(ov).tolist() == [[1, 5], [0, 2]]
    assert names(ov) == ([], ["F", "T"])
    assert mesh(direct).tolist() == [[7, 0]]
    assert texts(room) == ["h", "direct path"]
    drawn(room)


def test_tables_of_several_layers() -> None:
    token, before, out = Direction("token", "A"), Direction("prev", "A"), Direction("→", "T")
    below = LayeredHead({(token, before): Fraction(2)})
    above = LayeredHead({(before, out): Fraction(3)}, scores={(token, before): Fraction(4)})
    found = LayeredTables("tokens", ((below,), (above,)))
    ax = plot_qk(found, 1)
    assert (mesh(ax).tolist(), names(ax)) == ([[4]], (["token:A"], ["prev:A"]))
    ax = plot_ov(found, 0)
    assert (mesh(ax).tolist(), names(ax)) == ([[2]], (["token:A"], ["prev:A"]))
    assert len(plot_tables(found).child_axes) == 3


def test_a_head_without_preferences() -> None:
    found = HeadTables("tokens", {}, (Head({(A, "T"): Fraction(1)}, name="mean"),))
    ax = plot_qk(found)
    assert (mesh(ax).tolist(), names(ax)) == ([[0]], (["everywhere"], ["A"]))
    room = plot_tables(found)
    assert texts(room) == ["mean (attends to all alike)"]
    assert len(room.child_axes) == 1


def test_large_tables_have_colours_and_a_bar_in_place_of_numbers() -> None:
    scores = {(Q, (None, f"t{i:02}")): Fraction(i) for i in range(1, 31)}
    ax = plot_qk(HeadTables("tokens", {}, (Head(scores=scores),)))
    assert mesh(ax).tolist() == [list(range(1, 31))]
    assert texts(ax) == []
    assert len(ax.child_axes) == 1
    drawn(ax)


def test_huge_numbers_have_a_colour_and_a_power_of_ten() -> None:
    ax = plot_qk(
        HeadTables("tokens", {}, (Head(scores={(Q, A): Fraction(10) ** 400, (Q, B): -(Fraction(10) ** 400)}),))
    )
    assert texts(ax) == ["≈ 10^400", "≈ −10^400"]
    drawn(ax)


# ------------------------------------------------------------------------------------------------ one context


def test_a_pattern_by_hand() -> None:
    # parity:4, first head: a 1 has odds 11, a 0 and the destination 1; two of each and one: 25 in all.
    ax = plot_pattern(load_construction("parity:4").tables(), ("0", "1", "1", "0", "="))
    assert mesh(ax)[0].tolist() == [1 / 25, 11 / 25, 11 / 25, 1 / 25, 1 / 25]
    assert texts(ax)[:5] == ["1/25", "11/25", "11/25", "1/25", "1/25"]
    assert names(ax) == (["pole at -1/2", "pole at 9/2", "pole at -1", "pole at 5"], ["0", "1", "1", "0", "="])
    assert ax.get_title("left") == "attention from ="


def test_a_whole_pattern_is_empty_above_the_diagonal() -> None:
    ax = plot_pattern(small(), CONTEXT, head=0)
    expected = [[1, np.nan, np.nan], [0.5, 0.5, np.nan], [0.6, 0.2, 0.2]]
    assert np.array_equal(mesh(ax), expected, equal_nan=True)
    assert texts(ax) == ["1", "1/2", "1/2", "3/5", "1/5", "1/5"]


def test_a_model_is_run() -> None:
    construction = load_construction("parity:4")
    context = ("0", "1", "1", "0", "=")
    run, exact = plot_pattern(construction.to_model(), context), plot_pattern(construction.tables(), context)
    assert np.allclose(mesh(run), mesh(exact), atol=1e-6)
    assert texts(run)[:2] == ["0.04", "0.44"]
    assert names(run)[0] == ["head 0", "head 1", "head 2", "head 3"]


def test_a_model_of_two_layers_gives_the_patterns_of_both() -> None:
    torch.manual_seed(0)
    model = AttentionOnlyTransformer("ABQ", "T", n_ctx=3, n_heads=2, d_model=4, d_head=2, n_layers=2)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    ax = plot_pattern(model, CONTEXT)
    assert names(ax)[0] == ["head 0.0", "head 0.1", "head 1.0", "head 1.1"]
    x = model.embed(model.encode([CONTEXT]))
    second = model.blocks[1].pattern(x + model.blocks[0](x))[0, :, -1]  # type: ignore[operator]
    assert np.allclose(mesh(ax)[2:], second.detach().numpy(), atol=1e-7)


def test_a_path_by_hand() -> None:
    # A: odds 3 of 5, so 3/5, times 5 − 1. B: 1/5 · 2. Direct: −7. In all 12/5 + 2/5 − 7 = −21/5.
    room = plot_path(small(), CONTEXT, "A", "T", against="F")
    left, right = room.child_axes
    assert [bar.get_width() for bar in right.patches] == pytest.approx([2.4, 0.4, -7, -4.2])
    assert texts(right)[1:] == ["12/5", "2/5", "−7", "−21/5"]
    assert [bar.get_width() for bar in left.patches] == pytest.approx([0.8 * 0.6])
    assert texts(left) == ["odds", "→ share", "× value", "3", "3/5", "4"]
    assert names(left)[0] == ["h", "other places", "direct path", "logit T − logit F"]
    assert texts(room) == ["from A to logit T − logit F in “A B Q”"]
    drawn(room)


# ------------------------------------------------------------------------------------------------ in general


def test_given_axes_are_drawn_in_and_returned() -> None:
    figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
    assert plot_pattern(small(), CONTEXT, ax=axes[0]) is axes[0]
    assert plot_tables(small(), ax=axes[1]) is axes[1]
    assert plot_path(small(), CONTEXT, 0, "T", ax=axes[2]) is axes[2]
    assert plt.get_fignums() == [figure.number]
    drawn(axes[0])


def test_letters_shrink_with_the_room() -> None:
    _, ax = plt.subplots(figsize=(1.5, 1.0))
    plot_tables(small(), ax=ax)
    assert ax.child_axes[0].texts[0].get_fontsize() < 6
    assert plot_tables(small()).child_axes[0].texts[0].get_fontsize() == 8


@pytest.mark.parametrize("hostile", ["$\\frac{", "<b>&\n", "_x", "$a$ $b$", "\x00", "日本", "\u202e", " ", "x" * 999])
def test_names_are_drawn_as_they_are(hostile: str) -> None:
    s = (None, hostile)
    head = Head({(s, hostile): Fraction(1)}, odds={(s, s): Fraction(2)}, name=hostile)
    found = HeadTables("tokens", {(s, hostile): Fraction(1)}, (head,))
    for ax in (
        plot_tables(found),
        plot_qk(found),
        plot_pattern(found, (hostile, hostile), head=0),
        plot_path(found, (hostile, "A"), 0, hostile, against=hostile),
    ):
        for text in ax.figure.findobj(matplotlib.text.Text):
            assert not text.get_parse_math() or "$" not in text.get_text()
            assert "\n" not in text.get_text()
            assert len(text.get_text()) < 200
    assert names(plot_qk(small()))[1] == ["A", "B"]


def test_constructions_and_tables_have_the_method() -> None:
    construction = load_construction("two_head_xor")
    for thing in (construction, construction.tables()):
        assert [mesh(ax).tolist() for ax in thing.plot().child_axes[:1]] == [[[-10_000], [10_000], [0], [0], [-10_000]]]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot_qk(small(), 1), "there is no head 1; there are 1: h"),
        (lambda: plot_ov(small(), "g"), "0 heads are called 'g'; there are 1: h"),
        (lambda: plot_pattern(small(), CONTEXT, head=3), "there is no head 3; there are 1, counted from 0"),
        (lambda: plot_pattern(small(), ()), "the context is empty; expected at least one token, the destination"),
        (
            lambda: plot_pattern(LayeredTables("tokens", [[LayeredHead()]]), CONTEXT),  # type: ignore[arg-type]
            "these tables have several layers; compile them and plot the pattern of the model",
        ),
        (lambda: Construction("c", task=xor()).head("h", at="Z").plot(), "construction 'c': "),
    ],
)
def test_refusals(draw: Any, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        draw()
    assert message in str(refusal.value)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pictures need matplotlib .*pip install 'expressivity\[pictures\]'"):
        plot_tables(small())
