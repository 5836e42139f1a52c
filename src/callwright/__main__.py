"""``python -m callwright``: the command line, wherever its program is not on the path."""

from callwright.cli import main

if __name__ == "__main__":
    main()
