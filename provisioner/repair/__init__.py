"""What unattended repair adds to a run: the journal, who made a drift, what is contested or paused, notices, metrics.

Nothing here changes the baseline's settings in AWS: that is done by `fleet` and `engine`, for `apply` and `repair` alike.
"""
