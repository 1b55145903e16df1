"""Is a trained one-layer model an ensemble of skip-trigrams? ``python docs/studies/text_audit.py [--out DIR]``.

Trains a model on Python's own library, unless it is in DIR already, as

    expressivity train text --text code --text prose --weight-decay 0.1 --steps 17500 --threads 2 --out DIR/text-model

does, and audits it three times, as these do:

    expressivity audit DIR/text-model --data code --data prose --data mixture
    expressivity audit DIR/text-model --data code --data prose --data mixture --features offset
    expressivity audit DIR/text-model --data code --contexts 600000

What was audited is kept in DIR as the JSON of ``--json``; it is not audited again. Training takes 34 minutes of two
cores, the audits 13, 10 and 17 of one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import torch

from expressivity.attention.models.files import load_model
from expressivity.audit import Settings, audit
from expressivity.audit.text import read_text
from expressivity.report.audit_text import audit_json
from expressivity.report.progress import Counted
from expressivity.training.plan import planned
from expressivity.training.run import train
from expressivity.writing import write_bytes

PLAN = planned("text", text=("code", "prose"), weight_decay=0.1, steps=17_500)
TEXTS = ("code", "prose", "mixture")
AUDITS = {
    "anywhere": (TEXTS, Settings()),
    "offset": (TEXTS, Settings(convention="offset")),
    "more": (("code",), Settings(contexts=600_000)),
}
Found = dict[str, Any]


def audited(folder: Path, name: str) -> Found:
    """An audit as JSON: made, or read where it was made before."""
    kept = folder / f"{name}.json"
    if not kept.exists():
        names, settings = AUDITS[name]
        model = load_model(folder / "text-model")
        texts = [read_text(text, model.tokens, folder / "text-model") for text in names]
        found = audit(
            model, texts, name="text-model", settings=settings, progress=lambda step: click.echo(step, err=True)
        )
        write_bytes(json.dumps(audit_json(found)).encode(), kept)
    return dict(json.loads(kept.read_text("utf-8")))


def interval(measure: Found, scale: float = 1, digits: int = 2) -> str:
    """A number with its interval."""
    value, low, high = (f"{measure[key] * scale:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} ({low}–{high})"


def judgement(found: Found, fitted_on: str, judged_on: str) -> Found:
    """One of an audit's."""
    return next(j for j in found["judgements"] if (j["fitted_on"], j["judged_on"]) == (fitted_on, judged_on))


def orders(found: Found) -> str:
    """Ensembles of every order, each judged on the held-out part of the text that it was fitted on."""
    lines = [
        "| text | order | features | gap where fitted | gap, nats | with the text | top-1, % | variance, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for text in found["fits"]:
        own = judgement(found, text, text)
        lines.append(f"| {text} | the model | | | | {own['cross_entropy_data']:.3f} | | |")
        for fit, row in zip(found["fits"][text]["orders"], own["rows"], strict=False):
            lines.append(
                f"| | {row['order']} | {row['features']:,} | {fit['gap_fit']:.2f} | {interval(row['gap'])} | "
                f"{row['cross_entropy_data']['value']:.3f} | {interval(row['agreement'], 100, 1)} | "
                f"{interval(row['share'], 100, 1)} |"
            )
    return "\n".join(lines)


def other_texts(found: Found) -> str:
    """Order 3 fitted on each text and judged on every one."""
    lines = ["| fitted on | " + " | ".join(f"judged on {text}" for text in TEXTS) + " |", "|---|---|---|---|"]
    for fitted_on in TEXTS:
        rows = [judgement(found, fitted_on, text)["rows"] for text in TEXTS]
        third = [next(row for row in each if row["order"] == 3) for each in rows]
        cells = [
            f"{row['gap']['value']:.2f} nats, {row['agreement']['value']:.1%}, {row['share']['value']:.1%}"
            for row in third
        ]
        lines.append(f"| {fitted_on} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_off(found: Found) -> str:
    """The tables read off the weights, and the model with one head's denominators frozen."""
    lines = ["| read off the weights | " + " | ".join(TEXTS) + " |", "|---|---|---|---|"]
    own = [judgement(found, text, text) for text in TEXTS]
    for k, row in enumerate(own[0]["rows"]):
        if row["order"] is None:
            there = [each["rows"][k] for each in own]
            cells = [f"{of['gap']['value']:,.1f} nats, {of['agreement']['value']:.1%}" for of in there]
            lines.append(f"| {row['name']} | " + " | ".join(cells) + " |")
    for head in range(len(own[0]["heads"])):
        cells = [interval(each["heads"][head]["gap"]) for each in own]
        lines.append(f"| head {head}: denominators frozen | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/text-audit"), show_default=True)
def main(out: Path) -> None:
    """Train and audit what is not there, and print."""
    torch.set_num_threads(2)
    with Counted("steps") as progress:
        train(PLAN, out / "text-model", device="cpu", progress=progress)
    torch.set_num_threads(1)
    for name in AUDITS:
        found = audited(out, name)
        tables = [orders(found)] + ([other_texts(found), read_off(found)] if name == "anywhere" else [])
        click.echo(f"## {name}\n\n" + "\n\n".join(tables) + "\n")


if __name__ == "__main__":
    main()
