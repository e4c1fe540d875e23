"""Plots of corpora, embeddings, training curves and scores.

Each is a Display like those of scikit-learn: a class method ``from_...`` computes the data,
draws them and returns the display, whose ``plot`` draws again and whose ``describe`` returns
a sentence for alternative texts. Only drawing needs matplotlib:
``pip install 'sklearn-ser[plot]'``.
"""

from sklearn_ser.plotting._confusion import CorpusConfusionDisplay
from sklearn_ser.plotting._contours import ContoursDisplay
from sklearn_ser.plotting._latent_label import LatentLabelDisplay
from sklearn_ser.plotting._latent_scatter import LatentScatterDisplay
from sklearn_ser.plotting._reliability import ReliabilityDisplay
from sklearn_ser.plotting._speech import SpeechDisplay
from sklearn_ser.plotting._training import TrainingCurvesDisplay
from sklearn_ser.plotting._transfer import TransferMatrixDisplay
from sklearn_ser.plotting._uar import UARDisplay

__all__ = [
    "ContoursDisplay",
    "CorpusConfusionDisplay",
    "LatentLabelDisplay",
    "LatentScatterDisplay",
    "ReliabilityDisplay",
    "SpeechDisplay",
    "TrainingCurvesDisplay",
    "TransferMatrixDisplay",
    "UARDisplay",
]
