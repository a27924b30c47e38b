"""How the bundled weights were made, re-runnable. Training only: nothing at run time imports this package."""
