"""Draws scenes: each layer is rasterised once and laid over the frame where it is at that moment."""
