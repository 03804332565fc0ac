"""The AWS services: a folder for each section of the YAML file, named as its key, with all that is particular to it."""
