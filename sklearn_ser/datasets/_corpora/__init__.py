"""The corpora that are known by name: one module for each, and the registry."""
