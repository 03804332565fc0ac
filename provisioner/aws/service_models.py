"""What botocore's models of the services say, without a client or a call."""

from __future__ import annotations

from functools import cache


@cache
def enum(service: str, shape: str) -> tuple[str, ...]:
    """Return the values that AWS's model has for a type of text, in the order of the model: mostly from the oldest to the newest."""
    import botocore.session  # not needed to list the steps

    model = botocore.session.get_session().get_service_model(service)
    return tuple(model.shape_for(shape).metadata["enum"])
