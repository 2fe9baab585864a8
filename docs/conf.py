"""How Sphinx builds the site: `make docs`. Nothing is fetched, neither by the build nor by a reader's browser."""

import logging
import sys
from pathlib import Path

import sayso

sys.path.insert(0, str(Path(__file__).parent))
logging.getLogger("traitlets").setLevel(logging.ERROR)  # "Executing notebook", for every page

project = "Sayso"
author = "the Sayso authors"
version = release = sayso.__version__
html_title = "Sayso"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "api_reference"]
exclude_patterns = ["**/.ipynb_checkpoints"]
myst_heading_anchors = 3

# The pages of the tour and the how-tos are executed at every build, in an empty folder, and must say nothing to stderr.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True
nb_output_stderr = "error"
nb_merge_streams = True

smartquotes = False  # they would take backslashes out of patterns
highlight_language = "none"  # a block says what it is
# Docstrings put code between single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
# What modules import for types alone cannot be found out, and is called so in two places.
autodoc_type_aliases = {
    "Fitted": "sayso.training.Fitted",
    "Recognizer": "sayso.runtime.Recognizer",
    "Run": "sayso.experiment.run.Run",
}
napoleon_numpy_docstring = False
napoleon_use_rtype = False
