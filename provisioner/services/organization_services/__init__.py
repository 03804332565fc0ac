"""The services that work across the organization: their trusted access and their delegated administrators."""
