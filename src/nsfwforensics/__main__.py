"""``python -m nsfwforensics``: the command, where its script is not on the path."""

from nsfwforensics.cli.app import main

if __name__ == "__main__":
    main()
