"""The documents of Systems Manager that remediations execute. Moto has those of the account only."""

from __future__ import annotations

from typing import Any

from ....sandbox.ask import Request
from ....sandbox.rule import instead


@instead("ssm.documents", "DescribeDocument", row="Systems Manager Automation runbook reference")
def describe(request: Request) -> Any:
    """AWS's own documents, whose names begin with AWS, are there in each Region; all of that name, as AWS lists them nowhere."""
    name = request.params["Name"]
    if not name.startswith("AWS"):
        return request.moto()
    document = {"Name": name, "Owner": "Amazon", "Status": "Active", "DocumentType": "Automation"}
    return {"Document": document}
