"""Save models to files and load them, without pickle."""

from sklearn_ser.persistence._load import load, model_card
from sklearn_ser.persistence._save import save
from sklearn_ser.persistence._trusted import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "model_card", "save"]
