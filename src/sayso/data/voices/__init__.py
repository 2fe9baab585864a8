"""Voices that speak without anybody recording them."""
