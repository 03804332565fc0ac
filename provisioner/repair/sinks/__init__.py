"""How a message reaches each kind of sink. Each module has `send`, which returns why it could not, or an empty text.

What a sink answers is not shown as it is, as it may repeat the URL, which is a secret.
"""
