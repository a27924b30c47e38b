"""What every training here does alike: weights with their running average, a file to go on from, a cosine schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from models.training.errors import TrainingError

RESUME_FILE = "resume.pt"

N = TypeVar("N", bound=nn.Module)


@dataclass(slots=True)
class TrainingState(Generic[N]):
    """What a checkpoint has to hold to go on as if nothing had happened.

    Attributes:
        model: with the weights that are trained.
        average: of the same form, with their running average, which is the result.
        optimizer: of the model's parameters.
        done: epochs or steps.
        history: what was reported, as plain values.
        commands: the command line of each portion of the training.
    """

    model: N
    average: N
    optimizer: torch.optim.Optimizer
    done: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write the state into a folder, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.done,
            "history": self.history,
            "commands": self.commands,
        }
        partial = (folder / RESUME_FILE).with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(folder / RESUME_FILE)

    def begin(self, folder: Path, command: str, *, resume: bool) -> None:
        """Take up the state in a folder, where that is wished and there is one, and note this portion's command.

        Raises:
            TrainingError: the file is damaged, or of another network.
        """
        path = folder / RESUME_FILE
        if resume and path.is_file():
            self._restore(path)
        if command not in self.commands[-1:]:
            self.commands.append(command)

    def told_commands(self) -> str:
        """The command lines that make the weights again, a line for each portion."""
        return "\n".join([self.commands[0], *(f"{later} --resume" for later in self.commands[1:])])

    def _restore(self, path: Path) -> None:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.done, self.commands, self.history = state["epoch"], state["commands"], state["history"]
        except Exception as error:  # a torn file breaks torch's reader in ways of its own
            raise TrainingError(
                f"{path} is of another network or damaged; give the settings it was begun with, or leave out --resume"
            ) from error


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for the matrices and kernels, none for biases and norms."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def cosine_rate(done: float, total: float, rise: float, highest: float) -> float:
    """A linear rise until `rise`, then half a cosine down to nothing at `total`; `done` in the same unit."""
    if done < rise:
        return highest * (done / rise * 0.99 + 0.01)
    return highest * (0.5 + 0.5 * math.cos(math.pi * (done - rise) / (total - rise))) + 1e-6
