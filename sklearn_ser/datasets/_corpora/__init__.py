"""Corpora known by name: one module for each, and their registry."""
