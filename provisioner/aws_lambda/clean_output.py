"""What leaves the function, as its answer and as an error that Lambda logs: without control characters.

Whoever may invoke the function, or names something in AWS, could forge lines of the log otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from ..aws.errors import BotoCoreError, ClientError
from ..model import Refused
from ..report import words

_Given = ParamSpec("_Given")


def with_clean_output(do: Callable[_Given, dict[str, Any]]) -> Callable[_Given, dict[str, Any]]:
    """Return *do* with every text of its answer, and of the errors that it raises, clean."""

    @wraps(do)
    def clean(*args: _Given.args, **kwargs: _Given.kwargs) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = words.cleaned(do(*args, **kwargs))
        except (Refused, ClientError, BotoCoreError) as error:
            error.args = (words.clean(str(error)),)
            raise
        return answer

    return clean
