"""An interface that is asked without a network, and its description, by which every answer is judged."""

import jsonschema

from sayso.http.address import Address
from sayso.serve.api.api import Api
from sayso.serve.api.app import make_app, read_description
from sayso.serve.api.gate import Gate

__all__ = ["DESCRIPTION", "OWN", "check_answer", "check_schema", "make_api"]

OWN = "http://127.0.0.1:8080"
DESCRIPTION = read_description(["tones", "other"])


def make_api(models, workers, *, host="127.0.0.1", most_streams=4, tell=lambda text: None):
    """An API, and the application that answers for it."""
    api = Api(models, most_streams=most_streams, workers=workers, tell=tell)
    return api, Gate(make_app(api), Address(host, 8080))


def check_schema(value, name):
    """Hold a value against a schema of the description; gives the value."""
    _check(value, {"$ref": f"#/components/schemas/{name}"})
    return value


def check_answer(response, path, status):
    """Hold an answer of a path against what is described of this status; gives its JSON."""
    assert response.status_code == status, response.text
    described = DESCRIPTION["paths"][path][response.request.method.lower()]["responses"][str(status)]
    if "$ref" in described:
        described = DESCRIPTION["components"]["responses"][described["$ref"].rpartition("/")[2]]
    ((kind, content),) = described["content"].items()
    assert response.headers["content-type"] == kind
    _check(response.json(), content["schema"])
    return response.json()


def _check(value, schema):
    jsonschema.Draft202012Validator({"components": DESCRIPTION["components"]} | schema).validate(value)
