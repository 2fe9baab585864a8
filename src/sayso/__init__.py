"""Sayso: recordings of spoken words in, a recogniser people can trust and ship out."""
