"""Amazon GuardDuty: the detector of each Region, its features, the export of findings, and the organization."""
