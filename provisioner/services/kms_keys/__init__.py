"""AWS KMS: the keys with which other services encrypt, with policies generated for those that use them."""
