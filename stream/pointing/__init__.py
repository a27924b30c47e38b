"""Clicks on a running stream, and the objects that are followed from them."""
