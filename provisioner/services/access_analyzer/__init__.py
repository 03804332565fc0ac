"""IAM Access Analyzer: external access in each Region and, if the file asks for it, unused access."""
