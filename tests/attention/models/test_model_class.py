from __future__ import annotations

from typing import Any

import pytest

from expressivity.attention import Attention
from expressivity.errors import InputError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"heads": -1}, "heads is -1; expected None or a whole number of at least 0"),
        ({"heads": True}, "heads is True; expected None or a whole number of at least 0"),
        ({"d_head": 0}, "d_head is 0; expected None or a whole number of at least 1"),
        ({"layers": 2}, "layers is 2; expected 1: only one layer of attention is decided"),
        ({"embedding": "sum"}, "embedding is 'sum'; expected one of joint, additive, tokens"),
    ],
)
def test_fields_outside_their_range(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Attention(**fields)
    assert str(error.value) == message


def test_its_certificate_form_reads_back() -> None:
    model = Attention(heads=2, d_head=1, embedding="tokens")
    stated = model.to_json()
    assert stated.pop("class") == "attention"
    assert Attention(**stated) == model
