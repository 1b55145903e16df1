"""The command line. Each command imports what it needs when it runs, so that help and ``verify`` start at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from expressivity import __version__
from expressivity.errors import InputError, Refuted

UNDECIDED_STATUS = 3
INTERRUPTED_STATUS = 130  # 128 + SIGINT, as shells have it
POSITIONS = ("absolute", "anywhere", "count")
LEVELS = ("argmax", "logits", "cross_entropy")
EMBEDDINGS = ("joint", "additive", "tokens")


class Commands(click.Group):
    """Prints our errors as one line: status 2 for bad input, 1 for a refuted certificate, 130 after Ctrl-C."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of this package ends the program with its message."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(2)
        except Refuted as error:
            click.echo(f"refuted at {error}", err=True)
            ctx.exit(1)
        except MemoryError:
            click.echo("error: not enough memory for this task; try a smaller one or a lower --max-order", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:  # Ctrl-C
            click.echo("interrupted; no file is left half-written", err=True)
            ctx.exit(INTERRUPTED_STATUS)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="expressivity")
def main() -> None:
    """Which transformers can do a finite next-token task: decided, and proved in exact arithmetic.

    TASK is a file (see docs/task-files.md) or a named family such as xor or parity:4; `expressivity tasks` lists them.

    Exit status: 0 every question got its answer, yes or no; 3 something stayed undecided; 2 bad input; 1 a refuted
    certificate.
    """


@main.command()
@click.argument("task")
@click.option("--positions", type=click.Choice(POSITIONS), default="absolute", show_default=True,
              help="What a skip-n-gram knows of positions.")  # fmt: skip
@click.option("--embedding", type=click.Choice(EMBEDDINGS), default="joint", show_default=True,
              help="How attention reads a token at a position.")  # fmt: skip
@click.option("--max-order", type=int, metavar="N", help="Stop at skip-N-grams; by default go on until one decides.")
@click.option("--max-heads", type=int, metavar="H", help="Consider no tables with more heads.")
@click.option("--level", type=click.Choice(LEVELS),
              help="What counts as doing the task: the comparisons of logits; the probabilities themselves (the "
                   "default for tasks with probabilities); or to come as near to these as one likes.")  # fmt: skip
@click.option("--construction", "constructions", multiple=True, metavar="NAME|FILE",
              help="Try this construction for the upper bound on heads; may be repeated.")  # fmt: skip
@click.option("--smallest", is_flag=True, help="For each no, the fewest contexts that cancel, with a proof of how few.")
@click.option("--sparse", is_flag=True, help="For the yes, weights on the fewest features, with a proof of how few.")
@click.option("--margin", is_flag=True,
              help="For the yes, weights up to 1 with the largest margin, with a proof of how large.")  # fmt: skip
@click.option("--time-limit", type=float, metavar="SECONDS",
              help="Give up a decision after this long, and a search for a best proof (else after 60 s).")  # fmt: skip
@click.option("--normalise", is_flag=True, help="Scale probabilities that do not sum to 1.")
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="Write every certificate into DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(
    task: str,
    positions: str,
    embedding: str,
    max_order: int | None,
    max_heads: int | None,
    level: str | None,
    constructions: Sequence[str],
    smallest: bool,
    sparse: bool,
    margin: bool,
    time_limit: float | None,
    normalise: bool,
    save: Path | None,
    as_json: bool,
) -> None:
    """Find which orders of skip-n-grams and how many heads decide TASK, each with a verified certificate."""
    from expressivity.task import Task

    read = Task.load(task, normalise=normalise)  # first, so that a bad file is refused before anything heavy loads
    from expressivity.heads.gallery import load_construction, proposals_for
    from expressivity.heads.sandwich import check_given
    from expressivity.ladder import climb

    named = [load_construction(name) for name in constructions]
    for construction in named:
        check_given(read, embedding, construction)
    given = [*named, *proposals_for(read)]
    with _progress() as progress:
        ladder = climb(
            read,
            positions=positions,
            embedding=embedding,
            level=level,
            max_order=max_order,
            max_heads=max_heads,
            smallest=smallest,
            sparse=sparse,
            margin=margin,
            time_limit=time_limit,
            given=given,
            progress=progress,
        )
    paths: dict[str, str] = {}
    unsaved: InputError | None = None
    if save is not None:
        from expressivity.report.saving import save_certificates

        try:
            paths = save_certificates(ladder, save)
        except InputError as error:  # what was found is shown all the same
            unsaved = error
    if as_json:
        from expressivity.report.ladder_json import ladder_json

        click.echo(json.dumps(ladder_json(ladder, paths), indent=2, ensure_ascii=False))
    else:
        from expressivity.report.ladder_text import ladder_text

        click.echo(ladder_text(ladder, paths))
    if unsaved is not None:
        raise unsaved
    if not ladder.is_settled:
        click.get_current_context().exit(UNDECIDED_STATUS)


@main.command()
@click.argument("task")
@click.option("--embedding", type=click.Choice(EMBEDDINGS), default="joint", show_default=True,
              help="How attention reads a token at a position.")  # fmt: skip
@click.option("--d-head", type=int, metavar="N", help="Heads of this width at most; by default of any width.")
@click.option("--max-heads", type=int, metavar="H", help="Consider no tables with more heads.")
@click.option("--restarts", type=int, metavar="N", help="Starts of the search at each number of heads (else 256).")
@click.option("--time-limit", type=float, metavar="SECONDS", help="End it all after this long.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the search's random starts.")
@click.option("--device", metavar="NAME", help="Where descent runs; by default the accelerator if there is one.")
@click.option("--checkpoint", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the search down in FILE after every round, and go on from there.")  # fmt: skip
@click.option("--construction", "constructions", multiple=True, metavar="NAME|FILE",
              help="Try this construction; may be repeated.")  # fmt: skip
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="Write both certificates into DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def heads(
    task: str,
    embedding: Any,
    d_head: int | None,
    max_heads: int | None,
    restarts: int | None,
    time_limit: float | None,
    seed: int,
    device: str | None,
    checkpoint: Path | None,
    constructions: Sequence[str],
    save: Path | None,
    as_json: bool,
) -> None:
    """Bound the number of heads that TASK needs, from both sides, each with a verified certificate.

    Below stands a proof that fewer cannot, above are tables that can: a construction, or what a search finds
    (docs/heads.md). A search that finds nothing proves nothing.

    Exit status 0 if the bounds meet, 3 if they do not.
    """
    from expressivity.task import Task

    read = Task.load(task)  # first, so that a bad file is refused before anything heavy loads
    from expressivity.heads.bounds import bound_heads
    from expressivity.heads.gallery import load_construction, proposals_for
    from expressivity.heads.sandwich import check_given
    from expressivity.heads.search import RESTARTS
    from expressivity.report.heads_text import heads_json, heads_text
    from expressivity.report.saving import save_named

    named = [load_construction(name) for name in constructions]
    for construction in named:
        check_given(read, embedding, construction)
    with _progress() as progress:
        bounds = bound_heads(
            read,
            embedding=embedding,
            d_head=d_head,
            max_heads=max_heads,
            restarts=RESTARTS if restarts is None else restarts,
            time_limit=time_limit,
            seed=seed,
            device=device,
            checkpoint=checkpoint,
            given=[*named, *proposals_for(read)],
            progress=progress,
        )
    paths: dict[str, str] = {}
    unsaved: InputError | None = None
    if save is not None:
        certificates = {name: verdict.certificate for name, verdict in bounds.verdicts()}
        try:
            paths = save_named({name: c for name, c in certificates.items() if c is not None}, save)
        except InputError as error:  # what was found is shown all the same
            unsaved = error
    click.echo(
        json.dumps(heads_json(bounds, paths), indent=2, ensure_ascii=False) if as_json else heads_text(bounds, paths)
    )
    if unsaved is not None:
        raise unsaved
    if not bounds.is_closed:
        click.get_current_context().exit(UNDECIDED_STATUS)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file, a line each.")
def verify(files: Sequence[str], as_json: bool) -> None:
    """Re-prove certificates from the contexts that they state, with integers and fractions alone.

    A FILE that ends in .zip is an archive of certificates, which are all proved again.

    Exit status 0 if all hold, 1 if one is refuted (the line says at which step of the argument), 2 if one is missing.
    """
    from expressivity.verify import verify_file

    status = 0
    for path in files:
        found: dict[str, Any] = {"file": path}
        try:
            if path.endswith(".zip"):
                line, more = _verify_archive(path, as_json)
                found |= more
                status = max(status, 0 if more["proved"] else 1)
            else:
                statement = verify_file(path)
                found |= {"proved": True, "statement": statement.text}
                line = f"proved: {path}: {statement.text}"
        except Refuted as error:
            found |= {"proved": False, "step": error.step, "reason": error.reason}
            line, status = f"refuted: {path}: at the step “{error.step}”: {error.reason}", max(status, 1)
        except InputError as error:
            found |= {"proved": None, "error": str(error)}
            line, status = f"error: {error}", 2
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            click.echo(line, err=not found["proved"])
    click.get_current_context().exit(status)


@main.command()
@click.argument("construction")
@click.option("--d-head", type=int, metavar="N", help="Compile to this width instead of the least one.")
@click.option(
    "--device", metavar="NAME", help="Where the float runs happen; by default the accelerator if there is one."
)
@click.option("--every", is_flag=True, help="Run every context of a domain in floats, however many (up to 10^11).")
@click.option("--narrow", "narrower", is_flag=True,
              help="Search for other weights of smaller d_head that decide the task too; --save and --export are about "
              "these then.")  # fmt: skip
@click.option("--time-limit", type=float, metavar="SECONDS", help="End that search after this long (else after 60 s).")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write the certificate to FILE.")
@click.option("--export", type=click.Path(path_type=Path), metavar="DIR", help="Write the weights into DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def build(
    construction: str,
    d_head: int | None,
    device: str | None,
    every: bool,
    narrower: bool,
    time_limit: float | None,
    save: Path | None,
    export: Path | None,
    as_json: bool,
) -> None:
    """Compile CONSTRUCTION to weights and validate it on every context of its task.

    CONSTRUCTION is a name that `expressivity gallery` lists (parity:4 for a member of a family), or a file of your own:
    my.py or my.py:name. The file is run as Python. Exported weights are safetensors with TransformerLens's names, and
    JSON (docs/weights.md).

    With --narrow, other weights of a smaller width are searched for, which decide the same task: a different model,
    with a certificate of its own. To find none proves nothing.

    Exit status 1 if the construction does not decide its task.
    """
    from expressivity.heads.gallery import load_construction
    from expressivity.heads.narrow import check_search, narrow
    from expressivity.heads.sandwich import certify_built
    from expressivity.heads.validate import MOST_ENUMERATED, build_report
    from expressivity.report.build_text import build_json, build_text
    from expressivity.report.narrow_text import narrow_json, narrow_text

    if narrower and d_head is not None:
        raise InputError("--narrow looks for a smaller width than the least of the tables; leave out --d-head")
    if time_limit is not None and not narrower:
        raise InputError("--time-limit is about the search of --narrow; expected both or neither")
    made = load_construction(construction)
    with _progress() as progress:
        most = 10**11 if every else MOST_ENUMERATED
        if narrower:
            check_search(made, time_limit)
        report = build_report(made, d_head=d_head, device=device, enumerated=most, progress=progress)
        progress(f"{made.name}: certificate")
        proof, reason = certify_built(report)
        found = narrow(report, time_limit=time_limit, device=device, progress=progress) if narrower else None
    told = proof if found is None else found.proof  # what --save and --export are about
    missing = f"there is no certificate to write: {reason}" if found is None else f"nothing is written: {found.reason}"
    written = told is not None and told.certificate is not None
    if save is not None and told is not None and told.certificate is not None:
        told.certificate.save(save)
    if export is not None and (found is None or written):
        from expressivity.attention import save_model

        save_model(report.model if found is None or found.weights is None else found.weights.to_model(), export)
    if as_json:
        file, folder = (None if path is None else str(path) for path in (save, export))
        shown = build_json(report, proof, file if found is None else None)
        shown |= {"weights": folder if found is None or written else None}
        if found is not None:
            shown |= {"narrow": narrow_json(found, file if written else None)}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(build_text(report, proof, reason))
        if found is not None:
            click.echo(narrow_text(found))
        if export is not None and (found is None or written):
            click.echo(f"  weights: {export}")
    if not written and (save is not None or (export is not None and found is not None)):
        raise InputError(f"{save or export}: {missing}")
    click.get_current_context().exit(0 if report.decides else 1)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--prove", is_flag=True, help="Build them again, and compare with what is listed.")
@click.option("--record", is_flag=True, help="Write the list anew, these names besides.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each construction, a line each.")
def gallery(names: Sequence[str], prove: bool, record: bool, as_json: bool) -> None:
    """List the constructions that can be built by name, with what is proved of them; all of them, or those of a NAME.

    The list is a file beside the constructions; --prove proves every line of it again, in minutes.

    Exit status 1 if a line does not hold.
    """
    from expressivity.heads.facts import chosen, prove_facts, read_facts, recorded, write_facts
    from expressivity.report.gallery_text import finding_json, finding_text, gallery_json, gallery_text

    if record:
        with _progress() as progress:
            write_facts(recorded(names, progress))
    rows = chosen(read_facts(), names)
    if not prove:
        click.echo(gallery_json(rows) if as_json else gallery_text(rows))
        return
    done = failed = 0
    with _progress() as progress:
        for finding in prove_facts(rows, whole=not names, progress=progress):
            click.echo(finding_json(finding) if as_json else finding_text(finding))
            done, failed = done + 1, failed + bool(finding.problem)
    if not as_json:
        click.echo(f"{done - failed} of {done} hold")
    click.get_current_context().exit(1 if failed else 0)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each family, a line each.")
def tasks(as_json: bool) -> None:
    """List the families of tasks that can be named wherever a file may stand."""
    from expressivity.task import FAMILIES

    families = list(FAMILIES.values()) if isinstance(FAMILIES, dict) else list(FAMILIES)
    width = max(len(family.syntax) for family in families)
    for family in families:
        if as_json:
            found = {"syntax": family.syntax, "example": family.example, "description": family.description}
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            click.echo(f"  {family.syntax.ljust(width)}  {family.description} Example: {family.example}")


@main.command()
@click.argument("inputs", type=int, metavar="N")
@click.option("--tokens", type=int, default=2, show_default=True, metavar="K", help="Tokens of each input.")
@click.option("--outputs", type=int, default=2, show_default=True, metavar="M", help="Outputs of the functions.")
@click.option("--embedding", type=click.Choice(EMBEDDINGS[:2]), default="joint", show_default=True,
              help="How attention reads a token at a position; additive heads have fewer symmetries.")  # fmt: skip
@click.option("--sample", type=int, metavar="K", help="K functions drawn at random in place of every class.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample and of the search.")
@click.option("--restarts", type=int, default=268, show_default=True,
              help="Of the search for heads, for each function, with as many heads as its degree.")  # fmt: skip
@click.option("--orders-only", is_flag=True, help="Look for no heads.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep it in DIR, part by part; run again after an interruption, it goes on. By default census-N "
                   "(census-NxKxM beyond bits) for more than 16 contexts, and nothing is kept for less.")  # fmt: skip
@click.option("--certificates", default="250", show_default=True, metavar="K|all",
              help="Write the certificates of K functions, or all, into the archive DIR/certificates.zip.")  # fmt: skip
@click.option("--jobs", type=int, metavar="J", help="Processes; by default one for each core.")
@click.option("--backend", default="local", show_default=True, metavar="NAME",
              help="Where they run: local, dask://HOST:PORT or ray://HOST:PORT (extras dask and ray).")  # fmt: skip
@click.option("--device", metavar="NAME", help="Of the search; by default the accelerator if there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def census(
    inputs: int,
    tokens: int,
    outputs: int,
    embedding: str,
    sample: int | None,
    seed: int,
    restarts: int,
    orders_only: bool,
    out: Path | None,
    certificates: str,
    jobs: int | None,
    backend: str,
    device: str | None,
    as_json: bool,
) -> None:
    """Find the order and the heads of every Boolean function of N inputs up to symmetry, each with its proof.

    N of 1 to 4 takes seconds, 5 (616,126 classes) about 20 minutes on two cores; 6 is drawn by --sample. With --tokens
    or --outputs all functions of N sources from K tokens to M labels, where they make up to 20,000 classes. The tables
    are Parquet: summary.parquet is short, table.parquet has every proof.

    Exit status 3 if the bounds on the heads of some function do not meet.
    """
    from expressivity.census import run_census
    from expressivity.report.census_text import census_json, census_text
    from expressivity.report.progress import Counted

    if certificates != "all" and not certificates.isdecimal():
        raise InputError(f"certificates is {certificates!r}; expected a number of functions, or all")
    shape = f"{inputs}" if tokens == outputs == 2 else f"{inputs}x{tokens}x{outputs}"
    is_small = inputs < 5 and tokens ** max(inputs, 1) <= 16
    folder = out if out is not None or is_small else Path(f"census-{shape}")
    with Counted("functions") as progress:
        found = run_census(
            inputs,
            tokens=tokens,
            outputs=outputs,
            embedding=embedding,
            sample=sample,
            seed=seed,
            restarts=restarts,
            heads=not orders_only,
            folder=folder,
            jobs=jobs or os.cpu_count() or 1,
            where=backend,
            device=device,
            certificates=None if certificates == "all" else int(certificates),
            progress=progress,
        )
    click.echo(json.dumps(census_json(found), indent=2) if as_json else census_text(found))
    click.get_current_context().exit(0 if orders_only or found.closed == found.plan.rows else UNDECIDED_STATUS)


@main.command()
@click.argument("model")
@click.option("--data", metavar="DATA", help="Measure on this: token numbers (.npy), a task file or family, text "
              "(code, prose, mixture, or a file with --tokenizer).")  # fmt: skip
@click.option("--tokenizer", type=click.Path(path_type=Path), metavar="FILE",
              help="Of text; by default the one in the model's folder.")  # fmt: skip
@click.option("--top", type=int, default=10, show_default=True, metavar="K", help="Entries of each table.")
@click.option("--head", "heads", multiple=True, metavar="L.H", help="This head alone; may be repeated.")
@click.option("--destination", metavar="TOKEN", help="Skip-trigrams of this destination alone.")
@click.option("--centred", is_flag=True, help="Values less their means over outputs and over sources.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of random tokens and random heads.")
@click.option("--device", metavar="NAME", help="Where it is computed; by default the processor.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the scores into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def circuits(
    model: str,
    data: str | None,
    tokenizer: Path | None,
    top: int,
    heads: Sequence[str],
    destination: str | None,
    centred: bool,
    seed: int,
    device: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Read off what the heads of MODEL compute: skip-trigrams, copying, matching, composition, induction.

    MODEL is a folder that build --export or train wrote, or a construction. With --data also what each path through
    the heads is worth there, and which skip-trigrams shared values force though the data say otherwise, with their
    price in nats (docs/circuits.md).
    """
    from expressivity.circuits import analyse
    from expressivity.report.circuits_input import check_plot, read_data, read_model
    from expressivity.report.circuits_text import circuits_json, circuits_text, save_plot

    if top < 1:
        raise InputError(f"--top is {top}; expected at least 1")
    if tokenizer is not None and data is None:
        raise InputError("--tokenizer is about the text of --data; expected both or neither")
    if plot is not None:
        check_plot(plot)
    read = read_model(model, device)
    given = None if data is None else read_data(data, read, model=model, tokenizer=tokenizer)
    with _progress() as progress:
        found = analyse(
            read,
            given,
            heads=heads or None,
            top=top,
            destination=destination,
            centred=centred,
            seed=seed,
            progress=progress,
        )
    if plot is not None:
        save_plot(found, plot)
    click.echo(
        json.dumps(circuits_json(found), indent=2, ensure_ascii=False) if as_json else circuits_text(found)
    )


@main.command()
@click.argument("task")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Keep the model and its checkpoints in DIR; run again after a break, it goes on.")  # fmt: skip
@click.option("--layers", type=int, metavar="N", help="Layers of attention; 0 is embedding and unembedding alone.")
@click.option("--heads", type=int, metavar="H", help="Heads of each layer.")
@click.option("--d-model", type=int, metavar="N", help="Width of the residual stream.")
@click.option("--d-head", type=int, metavar="N", help="Width of every head.")
@click.option("--mlp", type=int, metavar="N", help="Width of an MLP after each layer's heads; 0 for none.")
@click.option("--embedding", type=click.Choice(EMBEDDINGS), help="How a token at a position is read (else additive).")
@click.option("--steps", type=int, metavar="N", help="Steps of AdamW; the rate falls linearly to 0 over them.")
@click.option("--batch", type=int, metavar="N", help="Sequences in a step; of a finite task all contexts are taken.")
@click.option("--lr", type=float, metavar="RATE", help="The rate of the first step.")
@click.option("--weight-decay", type=float, metavar="DECAY", help="Of AdamW.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the first weights and of the batches.")
@click.option("--text", "texts", multiple=True, metavar="SOURCE",
              help="For the task text: code, prose or mixture of Python's own library (the default is mixture), a text "
              "file, or an array of token numbers (.npy). Repeated: several files, or all code and prose.")  # fmt: skip
@click.option("--vocabulary", type=int, metavar="N", help="Tokens of a text's tokenizer, or of random sequences.")
@click.option("--length", type=int, metavar="N", help="The longest context of text; the length of random sequences.")
@click.option("--seeds", type=int, metavar="N",
              help="Train N models of a finite task side by side, from --seed on, and count how many decide it, each "
                   "checked exactly.")  # fmt: skip
@click.option("--minutes", type=float, metavar="M", help="Stop after M minutes, with a checkpoint.")
@click.option("--every", type=float, default=60, show_default=True, metavar="SECONDS", help="Between checkpoints.")
@click.option("--threads", type=int, default=1, show_default=True, help="Of the CPU; with as many, the same weights.")
@click.option("--device", metavar="NAME", help="By default the accelerator if there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def train(
    task: str,
    out: Path | None,
    mlp: int | None,
    texts: Sequence[str],
    seeds: int | None,
    minutes: float | None,
    every: float,
    threads: int,
    device: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train a transformer on TASK: trigrams, repeated, text, or a finite task, all of whose contexts it then sees.

    trigrams: even random tokens, of which 277 of the 5,625 ordered pairs force the next; repeated: random tokens over
    and over; text: the next token of real text. A finite task is a file or a family, as for check; what its weights
    decide is then proved (docs/training.md).

    Exit status 3 if --minutes ended it, 130 after Ctrl-C; the same command then goes on.
    """
    if task not in ("trigrams", "repeated", "text"):
        from expressivity.task import Task

        Task.load(task)  # first, so that a bad file is refused before anything heavy loads
    from expressivity.report.progress import Counted
    from expressivity.report.training_text import seeds_json, seeds_text, training_json, training_text
    from expressivity.training.kept import check_folder, keep_seeds
    from expressivity.training.plan import planned
    from expressivity.training.run import train as train_one
    from expressivity.training.seeds import train_seeds

    if texts and task != "text":
        raise InputError(f"--text is for the task text; found {task}")
    plan = planned(task, d_mlp=mlp, text=texts or None, **asked)
    folder = None if out is None else str(out)
    if seeds is not None:
        if minutes is not None:
            raise InputError("--minutes stops a training that goes on later, which many seeds do not")
        if out is not None:
            check_folder(out)
        with Counted("steps") as progress:
            found = train_seeds(plan, seeds, device=device, threads=threads, progress=progress)
        told = seeds_json(found, folder)
        if out is not None:
            keep_seeds(found, out, told)
        click.echo(json.dumps(told, indent=2) if as_json else seeds_text(found, folder))
        return
    if out is None:
        raise InputError("found no --out; expected a folder for the model (with --seeds it may be left out)")
    with Counted("steps") as progress:
        trained = train_one(
            plan, out, device=device, minutes=minutes, every=every, threads=threads, progress=progress
        )
    click.echo(json.dumps(training_json(trained, folder), indent=2) if as_json else training_text(trained, folder))
    click.get_current_context().exit(0 if trained.finished else UNDECIDED_STATUS)


@main.command()
@click.argument("data")
@click.option("--response", metavar="COLUMN", help="The column of classes.")
@click.option("--count-columns", metavar="A,B", help="Instead of it, columns of counts, a class each; the last is the "
              "reference.")  # fmt: skip
@click.option("--predictors", metavar="A,B,…", help="The columns to use; by default all others.")
@click.option("--factor", "factors", multiple=True, metavar="COLUMN", help="Its numbers are levels; may be repeated.")
@click.option("--no-intercept", is_flag=True, help="Leave the intercept out.")
@click.option("--reference", metavar="CLASS", help="The class that the others are compared with.")
@click.option("--delimiter", default=",", show_default=True, help="What stands between values.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Leave open what is not decided after this long.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the certificate included.")
def separation(
    data: str,
    response: str | None,
    count_columns: str | None,
    predictors: str | None,
    factors: Sequence[str],
    no_intercept: bool,
    reference: str | None,
    delimiter: str,
    time_limit: float | None,
    as_json: bool,
) -> None:
    """Find which estimates of a logistic regression on DATA, a CSV file, are infinite.

    The classes are completely separated, quasi-completely, or they overlap (docs/separation.md); each answer is proved.
    """
    from expressivity.report.separation_text import separation_command

    with _progress() as progress:
        text, status = separation_command(
            data,
            response_column=response,
            count_columns=count_columns.split(",") if count_columns else (),
            predictors=predictors.split(",") if predictors else (),
            factors=factors,
            intercept=not no_intercept,
            reference=reference,
            delimiter=delimiter,
            time_limit=time_limit,
            as_json=as_json,
            progress=progress,
        )
    click.echo(text)
    click.get_current_context().exit(status)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", "data", multiple=True, required=True, metavar="SOURCE",
              help="Token numbers (.npy), a text file, or code, prose or mixture of Python's library. Repeated: "
                   "ensembles are fitted on each and judged on all.")  # fmt: skip
@click.option("--orders", default="2,3,4,5", show_default=True, metavar="N,…", help="Of the ensembles.")
@click.option("--features", "convention", type=click.Choice(("anywhere", "count", "offset")), default="anywhere",
              show_default=True,
              help="What they see of sources: that tokens occur, how often, or at which distance.")  # fmt: skip
@click.option("--window", type=int, metavar="W", help="Tokens in a window; by default the model's context.")
@click.option("--last", is_flag=True, help="Only the last position of a window is a context: all have one length.")
@click.option("--reach", type=int, metavar="R", help="Features see the R sources next to the destination only.")
@click.option("--contexts", type=int, default=200_000, show_default=True, metavar="N", help="To fit on, at most.")
@click.option("--judged", type=int, default=20_000, show_default=True, metavar="N", help="Held-out contexts, at most.")
@click.option("--lexicon", type=int, default=65_536, show_default=True, metavar="K",
              help="Features of each number of sources, at most: the most frequent.")  # fmt: skip
@click.option("--certified", type=int, default=48, show_default=True, metavar="N",
              help="Contexts for the certified bounds of each order, at most; 0 for none.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of contexts and of the intervals.")
@click.option("--device", metavar="NAME", help="Where it runs; by default the accelerator if there is one.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="End the fits after this long, as good as they are.")
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="Write every certificate into DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def audit(
    model: Path,
    data: Sequence[str],
    orders: str,
    convention: str,
    window: int | None,
    last: bool,
    reach: int | None,
    contexts: int,
    judged: int,
    lexicon: int,
    certified: int,
    seed: int,
    device: str | None,
    time_limit: float | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Measure how well skip-n-gram ensembles describe MODEL, a folder that train or build --export wrote, on text.

    For each order: the gap of the best ensemble found to the model's distribution, agreement on the top choice, the
    share of the variance of the logits; for one layer also two tables read off the weights, and what each head's
    denominators do (docs/audit.md). All on held-out text, with 95% intervals.
    """
    from expressivity.audit.run import Settings
    from expressivity.report.audit_text import audit_json, audit_text, certificates_of, orders_of

    settings = Settings(
        orders=orders_of(orders),
        convention=convention,
        window=window,
        last=last,
        reach=reach,
        contexts=contexts,
        judged=judged,
        features=lexicon,
        certified=certified,
        seed=seed,
        device=device,
        time_limit=time_limit,
    )
    from expressivity.attention import load_model
    from expressivity.audit import audit as run_audit
    from expressivity.audit import read_text

    read = load_model(model)
    with _progress() as progress:
        progress("text")
        texts = [read_text(source, read.tokens, model) for source in dict.fromkeys(data)]
        found = run_audit(read, texts, name=model.name or str(model), settings=settings, progress=progress)
    paths: dict[str, str] = {}
    if save is not None:
        from expressivity.report.saving import save_named

        paths = save_named(certificates_of(found), save)
    click.echo(
        json.dumps(audit_json(found, paths), indent=2, ensure_ascii=False) if as_json else audit_text(found, paths)
    )


def _verify_archive(path: str, quiet: bool) -> tuple[str, dict[str, Any]]:
    """A line about an archive, and what is to be said of it in JSON; refuted members are named unless ``quiet``."""
    from expressivity.archive import verify_archive
    from expressivity.report.progress import Counted

    total, refuted = 0, []
    with Counted("certificates") as progress:
        for name, many, found in verify_archive(path):
            total += 1
            progress(total, many)
            if isinstance(found, Refuted):
                refuted.append({"member": name, "step": found.step, "reason": found.reason})
                if not quiet:
                    click.echo(f"refuted: {path}/{name}: at the step “{found.step}”: {found.reason}", err=True)
    said = {"certificates": total, "proved": not refuted, "refuted": refuted}
    if refuted:
        return f"refuted: {path}: {len(refuted):,} of {total:,} certificates", said
    return f"proved: {path}: {total:,} certificate{'s' if total != 1 else ''}", said


def _progress() -> AbstractContextManager[Callable[[str], None]]:
    from expressivity.report.progress import Progress

    return Progress()
