"""Synthesised speech whose F0, formants and perturbation are known."""
