"""`mirilla doctor`: what works on this machine, tried and not guessed, and how to mend what does not."""
