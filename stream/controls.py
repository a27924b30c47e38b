"""What a person at a view may change while a stream runs.

The pipeline makes one and hands it to the views (a window, later a page), which call it from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from models.errors import PromptError
from stream.class_choice import ClassChoice
from stream.model_step import Step
from stream.pointing.clicks import Click
from stream.pointing.pointed_step import ObjectState, PointedStep


class Notice(NamedTuple):
    """Something that a person at a view should know.

    Attributes:
        number: from 1, of those of this stream.
        text: one line.
        is_warning: whether something did not work.
    """

    number: int
    text: str
    is_warning: bool


class Controls:
    """The switches of one running stream.

    Attributes:
        toggle_hud: draws the run's figures from the next picture on, or no longer.
        classes: which classes are drawn, and which stands alone.
        step_model: goes so many places forward or back among the stream's models of one kind, and says how that went;
            must not wait. Whoever can load models sets it.
        notice: the newest for whoever looks; None before there is one.
    """

    def __init__(
        self, stop: Callable[[], None], toggle_hud: Callable[[], None], classes: ClassChoice | None = None
    ) -> None:
        """Wire the switches.

        Args:
            stop: ends the capture; what was captured is still written.
            toggle_hud: see above.
            classes: see above.
        """
        self._stop = stop
        self._stopping = threading.Event()
        self.toggle_hud = toggle_hud
        self.classes = classes or ClassChoice()
        self.step_model: Callable[[int], None] = lambda _: self.tell("this stream's model cannot be changed")
        self.notice: Notice | None = None
        self._pointed: PointedStep | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether the stream is ending, whoever ended it."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End the stream: capture nothing more, finish what was captured."""
        self.stopping()
        self._stop()

    def stopping(self) -> None:
        """Note that the stream is ending, so that nobody waits for a person any more."""
        self._stopping.set()

    def hear(self, steps: Sequence[Step]) -> None:
        """Let views reach these models: the first of them that answers clicks is given them."""
        self._pointed = next((step for step in steps if isinstance(step, PointedStep)), None)
        if self._pointed is not None:
            self._pointed.tell = self.tell

    @property
    def pointed_objects(self) -> Sequence[ObjectState] | None:
        """What was pointed at; None where no model of the stream answers clicks."""
        return None if self._pointed is None else self._pointed.objects

    def click(self, click: Click) -> None:
        """Point at something; never waits.

        Raises:
            PromptError: nobody answers clicks here, or too many are waiting.
        """
        if self._pointed is None:
            raise PromptError("point: no model of this stream answers clicks; run it with --model slim-sam")
        self._pointed.click(click)

    def tell(self, text: str, *, is_warning: bool = False) -> None:
        """Have the views say something for a moment."""
        number = 1 if self.notice is None else self.notice.number + 1
        self.notice = Notice(number, text, is_warning)
