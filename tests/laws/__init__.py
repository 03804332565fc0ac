"""The laws of DESIGN §6, one file each, over every registered step and `provisioner/profiles/full.yaml`.

They hold for a new service as soon as it has a folder and lines in that file: no law names a service or a setting.
"""
