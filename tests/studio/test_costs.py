"""What thresholds cost, measured where the page asks for it: a command of its own, for a run of this folder alone."""

import time

import pytest

pytest.importorskip("starlette", reason="needs the extra serve")

from studio_made import make_studio


@pytest.fixture
def page(tmp_path, made_run):
    for name in ("one", "two"):
        made_run(f"runs/{name}")
    studio, page = make_studio(tmp_path)
    yield page
    studio.close()


def ended(page, run):
    until = time.monotonic() + 60
    while (now := page.get(f"/api/runs/{run}/costs").json())["state"] in ("running", "stopping"):
        assert time.monotonic() < until
        time.sleep(0.1)
    return now


def test_a_run_is_measured_by_sayso_tune_in_its_own_words(page):
    assert page.get("/api/runs/one/costs").json() == {"state": "none"}
    begun = page.post("/api/runs/one/costs", json={})
    assert (begun.status_code, begun.json()["name"]) == (200, "one")
    again = page.post("/api/runs/two/costs", json={})
    assert (again.status_code, "a measurement is running (one)" in again.json()["error"].lower()) == (409, True)
    now = ended(page, "one")
    assert now["state"] == "failed"
    assert "runs/one" in now["why"], now
    assert page.get("/api/runs/two/costs").json() == {"state": "none"}


@pytest.mark.slow
def test_it_is_cancelled_and_no_other_run_is_reached(page):
    page.post("/api/runs/one/costs", json={})
    assert page.delete("/api/runs/two/costs").json() == {"state": "none"}
    assert page.get("/api/runs/one/costs").json()["state"] == "running"
    page.delete("/api/runs/one/costs")
    assert ended(page, "one")["state"] in ("stopped", "failed")
    assert page.post("/api/runs/..%2f..%2fclips/costs").status_code in (404, 409)
    assert page.post("/api/runs/three/costs").status_code == 409
