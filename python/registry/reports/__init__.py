"""What people are told of a registry: Markdown, JSON, and a web page that works without a server."""
