"""``python -m expressivity``: the command line."""

from expressivity.cli import main

if __name__ == "__main__":
    main(prog_name="expressivity")
