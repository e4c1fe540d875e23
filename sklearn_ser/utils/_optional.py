"""Packages that only a part of this one needs, under the extras that install them."""

from importlib import import_module

__all__ = ["require_extra"]

# What needs which modules, for each extra in pyproject.toml.
_EXTRAS = {
    "dask": ("--dask-scheduler needs dask", ("dask.distributed",)),
    "encoders": ("The front end of Whisper needs librosa", ("librosa.filters",)),
    "librosa": ("LibrosaExtractor needs librosa", ("librosa",)),
    "onnx": ("Writing ONNX graphs needs onnx and skl2onnx", ("onnx", "skl2onnx")),
    "parquet": ("Parquet files need pyarrow", ("pyarrow", "pyarrow.parquet")),
    "persist": ("Saving and loading models needs skops", ("skops.io",)),
    "plot": ("Drawing needs matplotlib", ("matplotlib.pyplot",)),
    "report": ("A report needs Jinja2 and matplotlib", ("jinja2", "matplotlib")),
}


def require_extra(extra):
    """Import the modules of an extra; call it before long work that would fail at its end.

    Parameters
    ----------
    extra : str
        The name that ``pip install 'sklearn-ser[...]'`` takes.

    Raises
    ------
    ImportError
        If one of them is not installed; the message has the command that installs it.
    """
    need, modules = _EXTRAS[extra]
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            raise ImportError(f"{need}: pip install 'sklearn-ser[{extra}]'") from error
