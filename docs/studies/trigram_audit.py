"""How well skip-n-grams describe the two trigram models: ``python docs/studies/trigram_audit.py [--models DIR]``.

The models are those of ``docs/studies/trigram_model.py``, trained if they are not there. Ensembles are fitted on some
new sequences and judged on others by :func:`expressivity.audit.audit`, with tokens at stated distances and with tokens
anywhere; of the model without an MLP the tables read off its weights are judged too. Nothing here is proved.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from trigram_model import PLANS

from expressivity.audit import Estimate, Part, Settings, Text, audit
from expressivity.report.progress import Counted
from expressivity.training.feeds import TrigramFeed
from expressivity.training.run import train
from expressivity.training.trigrams import Trigrams

FITTED, JUDGED, SEED = 4000, 1000, 1 << 34
WAYS = {
    "the token before": Settings(orders=(2, 3), convention="offset", reach=1),
    "the two tokens before": Settings(orders=(3, 4), convention="offset", reach=2),
    "anywhere": Settings(orders=(3, 4), convention="anywhere"),
}


def fresh(world: Trigrams) -> Text:
    """New sequences, without their last tokens: no model learns what comes after these."""
    fitted, judged = world.sequences(FITTED, SEED), world.sequences(JUDGED, SEED + 1)
    return Text("fresh sequences", Part.of(fitted[:, :-1]), Part.of(judged[:, :-1]))


def shown(name: str, measures: dict[str, Estimate]) -> str:
    """A row of the table."""
    cells = []
    for key, form in (("gap", ".4f"), ("agreement", ".2%"), ("share", ".2%")):
        found = measures[key]
        if key == "share" and found.value < -1:  # worse than their mean, by far
            cells.append("below −100%")
        else:
            cells.append(f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]")
    return f"| {name} | {' | '.join(cells)} |"


@click.command()
@click.option("--models", type=click.Path(path_type=Path), default=Path("build/trigrams"), show_default=True)
def main(models: Path) -> None:
    """Train what is not there, audit, and print."""
    torch.set_num_threads(1)
    for name, plan in PLANS.items():
        with Counted("steps") as progress:
            trained = train(plan, models / name.replace(" ", "-"), device="cpu", progress=progress)
        assert isinstance(trained.feed, TrigramFeed)  # noqa: S101 (what the plan says)
        text = fresh(trained.feed.world)
        click.echo(f"## {name}\n\n| ensemble or table | gap in nats | top-1 | variance |\n|---|---|---|---|")
        tables = {}
        for way, settings in WAYS.items():
            asked = Settings(**{**vars(settings), "window": plan.length - 1, "certified": 0, "device": "cpu"})
            found = audit(trained.model, [text], name=name, settings=asked)
            for row in found.judgements[0].rows:
                if row.order is None:
                    tables[row.name] = row.measures
                else:
                    click.echo(shown(f"order {row.order}, {way} ({row.features:,} features)", row.measures))
        for title, measures in tables.items():
            click.echo(shown(title, measures))
        click.echo()


if __name__ == "__main__":
    main()
