"""How tokens are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressivity.task import Task, quoted


@pytest.mark.parametrize("token", ["A", "é", "don't", "a-", "語", "1/2", "a{", "-", "[]", "}"])
def test_plain_tokens_stay_as_they_are(token):
    assert quoted(token) == token


@pytest.mark.parametrize(
    "token", ["", "a b", "->", "a->b", ":", "a|b", "=", "@", "#a", '"', "{", "\t", "\u00a0", "\u200b"]
)
def test_tokens_that_would_be_misread_are_json_strings(token):
    assert quoted(token).startswith('"')
    assert json.loads(quoted(token)) == token
    assert quoted(token).isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_token_reads_back(token):
    assert Task.from_text(f"{quoted(token)} -> {quoted(token)}").contexts == ((token,),)
