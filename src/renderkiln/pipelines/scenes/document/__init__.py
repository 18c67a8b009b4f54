"""The project document: what a film of scenes is made of."""
