"""What happens, and who is told of it: webhooks over HTTP, handlers in Python."""
