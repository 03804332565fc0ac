"""IAM Access Analyzer: who outside has access, in each Region; and, if the file asks, which access nobody uses."""
