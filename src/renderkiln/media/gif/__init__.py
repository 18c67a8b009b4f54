"""Gifs of several parts, each with a palette of its own, within a budget of bytes."""
