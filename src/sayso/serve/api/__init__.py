"""Models as an interface of HTTP and WebSocket, described by `openapi.yaml`."""
