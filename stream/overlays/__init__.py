"""What is drawn over the picture: one module a kind of result, found by itself, and the HUD."""
