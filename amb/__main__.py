"""``python -m amb``: the command line where the package is not installed."""

import sys

from amb.cli import main

sys.exit(main())
