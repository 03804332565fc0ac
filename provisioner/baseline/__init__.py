"""The YAML file as typed sections. Knows no AWS."""

from .baseline import Baseline
from .control import Control, Regional, Switchable
from .file import load, parse
from .general import General
from .problem import BaselineError, Problem
from .section import (
    NO_SETTING,
    AccountId,
    Contradiction,
    ForOrganization,
    InvalidValue,
    NotInFullProfile,
    Region,
    Section,
    Text,
)

__all__ = [
    "NO_SETTING",
    "AccountId",
    "Baseline",
    "BaselineError",
    "Contradiction",
    "Control",
    "ForOrganization",
    "General",
    "InvalidValue",
    "NotInFullProfile",
    "Problem",
    "Region",
    "Regional",
    "Section",
    "Switchable",
    "Text",
    "load",
    "parse",
]
