"""What Prowler and Cloud Custodian say of the sandbox after `provision apply`: `python -m judges`."""
