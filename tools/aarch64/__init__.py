"""Build the extension for aarch64, and try the package under emulation: docs/aarch64.md."""
