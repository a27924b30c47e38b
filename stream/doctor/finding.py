"""One thing that was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["works", "absent", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        section: what it belongs to: `models`.
        name: what it is: `CUDA`.
        state: `works`; `absent` where the machine lacks it; `broken` where it is there and does not work.
        says: version, size, speed, or what is wrong.
        mend: what to do about it; None where there is nothing to mend.
        is_needed: whether Mirilla runs nothing without it.
    """

    section: str
    name: str
    state: State
    says: str
    mend: str | None = None
    is_needed: bool = False

    @property
    def is_obstacle(self) -> bool:
        """Whether Mirilla cannot be used because of it."""
        return self.is_needed and self.state != "works"
