"""Tests of the sandbox's parameters of Systems Manager."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from ..conftest import Bench

RULE = "ssm.parameters"


def test_a_parameter_is_written_over_only_if_asked(bench: Bench) -> None:
    ssm = bench.client("ssm")
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        ssm.put_parameter(Name="/a", Value="2", Type="String")
    ssm.put_parameter(Name="/a", Value="2", Type="String", Overwrite=True)
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "2"
    ssm.delete_parameter(Name="/a")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/a")
