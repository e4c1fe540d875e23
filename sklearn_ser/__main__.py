"""``python -m sklearn_ser``: the command line."""

import sys

from sklearn_ser.cli import main

if __name__ == "__main__":
    sys.exit(main())
