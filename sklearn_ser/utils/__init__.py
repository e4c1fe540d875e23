"""Helpers that several packages share; nothing heavy is imported here."""
