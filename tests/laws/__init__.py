"""The laws of DESIGN §6, one file each. They run over every registered step, through `provisioner/profiles/full.yaml`.

A new service is held to them by its folder and its lines in that file; no law names a service, a setting or a number.
"""
