"""Moving pictures in files: what a clip really is, single frames of it, its picture made plain."""
