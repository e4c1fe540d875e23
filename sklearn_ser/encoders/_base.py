"""What every encoder offers: the frames of its layers, for one signal or several."""

from abc import ABC, abstractmethod

__all__ = ["Encoder"]


class Encoder(ABC):
    """A network from signals at 16 kHz to the frames of its layers.

    Attributes
    ----------
    widths : tuple of int
        Width of each layer; the first is what the first block is given.
    min_samples, max_samples : int
        The shortest signal that has a frame, and the longest one that is computed at once.
    device : torch.device
        Where the weights are, and signals must be.
    pads : bool
        Whether signals of several lengths may be computed together: what a signal gives
        then does not depend on the padding behind it.
    """

    pads = False
    min_samples = 1
    max_samples = 30 * 16000

    @abstractmethod
    def to(self, device):
        """Move the weights to a device, and return self."""

    @abstractmethod
    def layers(self, signals, last):
        """Yield the layers of signals, one after the other.

        Parameters
        ----------
        signals : list of Tensor of shape (n_samples,)
            Between `min_samples` and `max_samples` long; all of one length unless `pads`.
        last : int
            The last layer that is needed; nothing behind it is computed.

        Yields
        ------
        frames : Tensor of shape (n_signals, n_frames, width)
            Of layers 0 to `last`.
        n_frames : Tensor of int, shape (n_signals,)
            How many frames each signal has; the others are padding.
        """
