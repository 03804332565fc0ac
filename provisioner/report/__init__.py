"""What a run found and did, for people and for machines. Pure: results go in, text or values come out."""
