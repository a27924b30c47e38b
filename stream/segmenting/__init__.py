"""Somebody points at things in a picture, and they are cut out (`mirilla segment`)."""
