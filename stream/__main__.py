"""`python -m stream` is `mirilla`."""

from stream.cli import main

main()
