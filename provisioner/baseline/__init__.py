"""The YAML file as typed sections. Knows no AWS."""
