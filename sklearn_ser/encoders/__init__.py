"""Pretrained speech encoders: a waveform → the frames of each layer.

The modules that compute import torch, which takes seconds; what only looks at the
files of an encoder does not.
"""
