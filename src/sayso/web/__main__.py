"""`python -m sayso.web` fetches onnxruntime-web, as `make web` does."""

import sys

from sayso.web.fetch import main

if __name__ == "__main__":
    sys.exit(main())
