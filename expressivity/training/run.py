"""One model trained, with checkpoints; taken up again where it stopped."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from expressivity.attention.models import save_model
from expressivity.errors import InputError
from expressivity.training.checkpoint import TOKENIZER, State, Store
from expressivity.training.exact import Decided, decided
from expressivity.training.feeds import Feed, FiniteFeed, TextFeed
from expressivity.training.plan import Model, Plan, feed_of, make_model, trained_parameters
from expressivity.training.tokenizer import BytePairs

EVERY = 60.0
"""Seconds between two checkpoints."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
CURVE = 200  # points of the loss curve that is written down
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """A model, trained to the end or so far.

    Attributes:
        plan: what was asked.
        feed: what it was trained on.
        model: on the CPU.
        step: how many steps were made.
        losses: of each; ``[step]``.
        measures: the feed's own, of a finished model.
        decides: of a finished model of a finite task: what its weights decide.
        seconds: of work, those before an interruption included.
    """

    plan: Plan
    feed: Feed
    model: Model
    step: int
    losses: Tensor
    measures: Mapping[str, float]
    decides: Decided | None
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether all steps were made."""
        return self.step == self.plan.steps

    @property
    def curve(self) -> list[tuple[int, float]]:
        """The mean losses of up to 200 stretches of steps, each with its last step."""
        size = max(1, -(-self.step // CURVE))
        parts = torch.split(self.losses.double(), size)
        return [(min((k + 1) * size, self.step), round(float(part.mean()), 6)) for k, part in enumerate(parts)]


def train(
    plan: Plan,
    folder: Path | None = None,
    *,
    device: str | None = None,
    minutes: float | None = None,
    every: float = EVERY,
    threads: int = 1,
    progress: Progress = lambda done, total, said: None,
) -> Trained:
    """Train a model by AdamW with a linearly falling rate.

    With a folder it is kept there, with a checkpoint every so many seconds; the same call goes on where another was
    stopped or killed, and on the CPU, with as many threads, ends with the weights that a run without a break has, bit
    for bit. Ctrl-C writes a checkpoint first.

    Args:
        plan: what and how.
        folder: ``None`` keeps nothing.
        device: by default the accelerator if there is one.
        minutes: stop after so many, with a checkpoint.
        every: seconds between checkpoints.
        threads: of the CPU. More of them add up in another order.
        progress: called with steps done, steps in all, and the loss in words.

    Raises:
        InputError: sizes that do not fit, a folder with something else, or an unknown device.
        KeyboardInterrupt: Ctrl-C, after the checkpoint.

    >>> from expressivity.training.plan import planned
    >>> trained = train(planned("xor", heads=2, steps=300), device="cpu")
    >>> trained.finished, trained.decides.right
    (True, True)
    """
    if threads < 1 or every < 0 or (minutes is not None and minutes < 0):
        raise InputError(f"threads {threads}, minutes {minutes}, every {every}; expected at least 1, 0 and 0")
    where = device_of(device)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        known = folder / TOKENIZER if folder is not None and plan.task == "text" else None
        tokenizer = BytePairs.load(known) if known is not None and known.exists() else None
        feed = feed_of(plan, tokenizer)
        store = None if folder is None else Store(folder, plan, plan.hash(feed))
        if store is not None and isinstance(feed, TextFeed) and feed.corpus.tokenizer is not None:
            feed.corpus.tokenizer.save(store.folder / TOKENIZER)
        return _train(plan, feed, store, where, minutes, every, progress)
    finally:
        torch.set_num_threads(before)


def _train(
    plan: Plan,
    feed: Feed,
    store: Store | None,
    where: torch.device,
    minutes: float | None,
    every: float,
    progress: Progress,
) -> Trained:
    model = make_model(plan, feed)
    model.to(where)
    parameters = trained_parameters(model)
    optimiser = torch.optim.AdamW(
        parameters.values(), lr=plan.lr, betas=BETAS, eps=EPSILON, weight_decay=plan.weight_decay
    )
    state = None if store is None else store.last(parameters)
    losses = torch.zeros(plan.steps)
    done, worked = 0, 0.0
    if state is not None:
        _restore(parameters, optimiser, state)
        done, worked = state.step, state.seconds
        losses[:done] = state.losses
    begun = kept = time.monotonic()

    def now() -> State:
        return State(done, _tensors(parameters, optimiser), losses[:done].clone(), worked + time.monotonic() - begun)

    with heard_interrupts() as interrupted:
        progress(done, plan.steps, "")
        while done < plan.steps:
            for group in optimiser.param_groups:
                group["lr"] = plan.lr * (1 - done / plan.steps)
            loss = feed.loss(model, plan.seed, done, plan.batch, where)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses[done] = loss.detach()
            done += 1
            progress(done, plan.steps, f"loss {float(losses[done - 1]):.4f}")
            moment = time.monotonic()
            late = minutes is not None and moment - begun >= 60 * minutes
            if interrupted() or late or done == plan.steps or moment - kept >= every:
                if not bool(losses[done - 1].isfinite()):
                    raise InputError(f"the loss is {float(losses[done - 1])} after {done} steps; try a lower --lr")
                if store is not None:
                    store.keep(now())
                kept = moment
                if interrupted():
                    raise KeyboardInterrupt
                if late:
                    break
    seconds = worked + time.monotonic() - begun
    model.to("cpu")
    measures = feed.measures(model, torch.device("cpu")) if done == plan.steps else {}
    decides = decided(model, feed.task) if done == plan.steps and isinstance(feed, FiniteFeed) else None
    trained = Trained(plan, feed, model, done, losses[:done], measures, decides, seconds)
    if store is not None and trained.finished:
        save_model(model, store.folder)
        store.finish(result_json(trained))
    return trained


def result_json(trained: Trained) -> dict[str, Any]:
    """What came of it, for ``result.json`` and for ``--json``."""
    found = trained.decides
    return {
        "plan": trained.plan.to_json(),
        "feed": trained.feed.name,
        "steps": trained.step,
        "finished": trained.finished,
        "loss": trained.curve[-1][1] if trained.step else None,
        "measures": dict(trained.measures),
        "decides": None if found is None else found.to_json(),
        "seconds": round(trained.seconds, 1),
        "torch": torch.__version__,
        "curve": [list(point) for point in trained.curve],
    }


def device_of(name: str | None) -> torch.device:
    """The device with this name; by default the accelerator if there is one.

    Raises:
        InputError: there is none such.
    """
    try:
        found = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        shown = str(error).partition("\n")[0][:120]
        raise InputError(f"device {name!r}: {shown}") from None
    return found


@contextmanager
def heard_interrupts() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is noted, to be asked for between two steps; a second one interrupts at once."""
    pressed: list[int] = []

    def note(number: int, frame: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _tensors(parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        kept = optimiser.state[parameter]
        found |= {
            f"weight/{name}": parameter.detach(),
            f"average/{name}": kept["exp_avg"],
            f"square/{name}": kept["exp_avg_sq"],
        }
    return found


def _restore(
    parameters: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer, state: State
) -> None:
    for name, parameter in parameters.items():
        parameter.data.copy_(state.tensors[f"weight/{name}"])
        optimiser.state[parameter] = {
            "step": torch.tensor(float(state.step)),
            "exp_avg": state.tensors[f"average/{name}"].to(parameter),
            "exp_avg_sq": state.tensors[f"square/{name}"].to(parameter),
        }
