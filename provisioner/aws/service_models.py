"""What botocore's models of the services say, without a client or a call."""

from __future__ import annotations

from functools import cache


@cache
def enum(service: str, shape: str) -> tuple[str, ...]:
    """Return the values that AWS's model has for a type of text, in the order of the model: mostly from the oldest to the newest."""
    import botocore.session  # not needed to list the steps

    from .model_files import model_loader

    session = botocore.session.get_session()
    session.register_component("data_loader", model_loader(session.get_config_variable("data_path")))
    return tuple(session.get_service_model(service).shape_for(shape).metadata["enum"])
