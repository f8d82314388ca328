"""Hostile bundles: a small signed bundle, everything that can be done to it, and a judge."""
