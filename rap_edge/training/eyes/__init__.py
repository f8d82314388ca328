"""Training of the network that finds the lids (docs/eyes.md)."""
