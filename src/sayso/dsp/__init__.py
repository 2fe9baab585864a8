"""Transforms that representations are made of, as torch modules that export."""
