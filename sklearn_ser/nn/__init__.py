"""Networks, losses and the training loop: numbers only, without knowledge of corpora.

The modules import torch and skorch, which takes seconds. Only the modules of estimators
that train a network import them.
"""
