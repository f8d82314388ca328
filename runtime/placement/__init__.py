"""Where graphs run: which devices are here, which variant is fastest, and whether it is right."""
