"""The browser's side of a model: what a web page needs to run it, as files, and what Python tells it of the model.

`browser/` holds plain ES modules: `sayso.js` for any page, `talk.js` for a page to talk to, and what both are made of.
"""

from sayso.web.assets import asset_files, licence_files, look, runtime_files
from sayso.web.description import MODEL_JSON, Described, describe

__all__ = ["MODEL_JSON", "Described", "asset_files", "describe", "licence_files", "look", "runtime_files"]
