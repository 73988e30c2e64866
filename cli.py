"""The command ``engine``."""


def main() -> None:
    """Run the command line."""
