"""The report as one HTML page that needs nothing else: its data, style and script are in it, and it asks nobody."""
