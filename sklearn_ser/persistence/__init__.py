"""Save models to files and load them, without pickle; write them as ONNX graphs."""

from sklearn_ser.persistence._load import load, model_card
from sklearn_ser.persistence._onnx import to_onnx
from sklearn_ser.persistence._save import save
from sklearn_ser.persistence._trusted import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "model_card", "save", "to_onnx"]
