"""``python -m expressivity.verify FILE…``: the trusted base alone."""

import sys

from expressivity.verify import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
