"""Text to spoken audio: scripts, chunks of them, and the providers that speak."""
