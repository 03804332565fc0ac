"""One folder for each section of the YAML file, named as its key: all that the program knows of that service."""
