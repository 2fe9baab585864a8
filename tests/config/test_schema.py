"""Plain values to settings and back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.config.schema import (
    NonNegative,
    Positive,
    PositiveInt,
    Range,
    Settings,
    Share,
    describe,
    did_you_mean,
    dump,
    field_help,
    field_types,
    read,
)
from sayso.errors import Fault, SettingsError


@dataclass(frozen=True, kw_only=True)
class Inner(Settings):
    rate: Positive = 1e-3
    """How fast."""
    low: int = 0
    high: int = 1

    def faults(self) -> Iterator[Fault]:
        if self.low > self.high:
            yield Fault("low", f"is {self.low}, must be at most high ({self.high})")


@dataclass(frozen=True, kw_only=True)
class Base(Settings):
    count: PositiveInt = 3
    """How many,
    over two lines."""


@dataclass(frozen=True, kw_only=True)
class Whole(Base):
    name: str
    """What it is called."""
    mode: Literal["fast", "slow"] = "fast"
    on: bool = False
    share: Share = 0.5
    seconds: NonNegative | None = None
    words: tuple[str, ...] = ()
    sizes: tuple[PositiveInt, ...] = (1, 2)
    seed: int = 0
    temperature: Literal["auto"] | Positive = "auto"
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None
    parts: tuple[Inner, ...] = ()
    odd: Annotated[float, Range(above=0, below=1)] = 0.5


def faults_of(values: object, key: str = "") -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        read(Whole, values, key=key)
    return {fault.key: fault.message for fault in caught.value.faults}


def made(**values: Any) -> Whole:
    return read(Whole, {"name": "x", **values})


def test_every_fault_at_once() -> None:
    faults = faults_of(
        {
            "countt": 3,
            "mode": "fsat",
            "on": "yes",
            "share": 2,
            "inner": {"rate": -1, "speed": 2, "low": "x"},
            "sizes": [1, 0, "many"],
            "parts": [{}, {"rate": 0}],
            "words": ["yes", False],
        },
        key="dataset",
    )
    assert faults == {
        "dataset.countt": "unknown key; did you mean 'count'?",
        "dataset.mode": "is 'fsat', must be fast | slow; did you mean 'fast'?",
        "dataset.on": "is 'yes', must be true or false",
        "dataset.share": "is 2, must be at most 1",
        "dataset.inner.rate": "is -1, must be above 0",
        "dataset.inner.speed": "unknown key; choose from high, low, rate",
        "dataset.inner.low": "is 'x', must be a whole number",
        "dataset.sizes": "is 0, must be at least 1",
        "dataset.sizes[2]": "is 'many', must be a whole number",
        "dataset.parts[1].rate": "is 0, must be above 0",
        "dataset.words[1]": "is False, must be text (put it in quotes)",
        "dataset.name": "is missing",
    }


def test_faults_across_fields_come_once_the_fields_are_right() -> None:
    assert faults_of({"name": "x", "inner": {"low": 5}}) == {"inner.low": "is 5, must be at most high (1)"}


def test_the_error_names_all_faults_in_one_line() -> None:
    with pytest.raises(SettingsError) as caught:
        read(Whole, {"a": 1, "count": 0})
    text = str(caught.value)
    assert text.startswith("a: unknown key")
    assert "count: is 0, must be at least 1; name: is missing" in text
    assert "\n" not in text


@pytest.mark.parametrize("values", [None, 3, "text", ["a"]])
def test_a_section_must_be_a_mapping(values: object) -> None:
    assert "must be a section" in faults_of(values, key="model")["model"]


@pytest.mark.parametrize(("value", "wanted"), [("3e-4", 3e-4), ("1E5", 1e5), (2, 2.0), ("0.25", 0.25), (1e-9, 1e-9)])
def test_numbers_of_floats(value: object, wanted: float) -> None:
    rate = read(Inner, {"rate": value}).rate
    assert rate == wanted
    assert type(rate) is float


@pytest.mark.parametrize(
    ("value", "wanted"), [(8e3, 8000), ("8e3", 8000), (7.0, 7), ("12", 12), (2**63 + 1, 2**63 + 1)]
)
def test_numbers_of_ints(value: object, wanted: int) -> None:
    count = made(count=value).count
    assert count == wanted
    assert type(count) is int


@pytest.mark.parametrize("value", [True, False, None, [], {}, "x", "", 2.5, "2.5", math.nan, math.inf, "nan"])
def test_what_is_no_whole_number(value: object) -> None:
    assert faults_of({"name": "x", "count": value})["count"].endswith("must be a whole number")


@pytest.mark.parametrize("value", [1e300, -1e40, 1e-300, "1e200"])
def test_what_no_setting_can_mean(value: object) -> None:
    assert faults_of({"name": "x", "odd": value})["odd"].endswith("must be 0 or a number from 1e-30 to 1e+30 in size")


@pytest.mark.parametrize("value", [True, None, [], "x", math.nan, -math.inf, "inf", 10**400])
def test_what_is_no_number(value: object) -> None:
    assert faults_of({"name": "x", "odd": value})["odd"].endswith("must be a number")


@pytest.mark.parametrize("value", [7, True, 1.5, None, ["a"]])
def test_what_is_no_text(value: object) -> None:
    assert "must be text (put it in quotes)" in faults_of({"name": value})["name"]


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_number_is_no_bool(value: object) -> None:
    assert "must be true or false" in faults_of({"name": "x", "on": value})["on"]


def test_unions() -> None:
    assert made(seconds=None).seconds is None
    assert made(seconds="2").seconds == 2.0
    assert made(temperature="auto").temperature == "auto"
    assert made(temperature="3e-4").temperature == 3e-4
    assert made(maybe={"rate": 2}).maybe == Inner(rate=2)
    assert made(maybe=None).maybe is None
    assert faults_of({"name": "x", "seconds": "soon"}) == {"seconds": "is 'soon', must be a number or empty"}
    assert faults_of({"name": "x", "seconds": -1}) == {"seconds": "is -1, must be at least 0"}
    assert faults_of({"name": "x", "temperature": "hot"}) == {"temperature": "is 'hot', must be auto or a number"}
    assert faults_of({"name": "x", "temperature": 0}) == {"temperature": "is 0, must be above 0"}
    assert faults_of({"name": "x", "maybe": {"rat": 2}}) == {"maybe.rat": "unknown key; did you mean 'rate'?"}


def test_tuples() -> None:
    whole = made(words=["yes", "größer gleich", "はい"], sizes=(4,), parts=[{"rate": 2}])
    assert whole.words == ("yes", "größer gleich", "はい")
    assert whole.sizes == (4,)
    assert whole.parts == (Inner(rate=2),)
    assert faults_of({"name": "x", "words": "yes"}) == {"words": "is 'yes', must be a list, such as [a, b]"}


@pytest.mark.parametrize(
    ("limits", "value", "limit"),
    [
        (Range(least=1), 0, "at least 1"),
        (Range(most=1), 1.5, "at most 1"),
        (Range(above=0), 0, "above 0"),
        (Range(below=1), 1, "below 1"),
        (Range(), math.nan, "a finite number"),
        (Range(), math.inf, "a finite number"),
    ],
)
def test_ranges(limits: Range, value: float, limit: str) -> None:
    misfit = limits.misfit(value)
    assert misfit is not None
    assert misfit.endswith(f"must be {limit}")


def test_ranges_include_their_limits() -> None:
    assert Range(least=1, most=2).misfit(1) is None
    assert Range(least=1, most=2).misfit(2) is None


def test_ranges_hold_in_code_too() -> None:
    with pytest.raises(SettingsError, match="Inner: rate: is -1, must be above 0"):
        Inner(rate=-1)
    with pytest.raises(SettingsError, match="must be a finite number"):
        Inner(rate=math.nan)
    with pytest.raises(SettingsError, match="low: is 3, must be at most high"):
        Inner(low=3)
    with pytest.raises(SettingsError, match="sizes: is 0"):
        Whole(name="x", sizes=(1, 0))
    with pytest.raises(SettingsError, match="seconds: is -1"):
        Whole(name="x", seconds=-1)


finite = st.floats(min_value=1e-6, max_value=1e6)
inners = st.builds(Inner, rate=finite, low=st.integers(-5, 0), high=st.integers(0, 5))
wholes = st.builds(
    Whole,
    name=st.text(),
    count=st.integers(1),
    mode=st.sampled_from(["fast", "slow"]),
    on=st.booleans(),
    share=st.just(0.0) | st.floats(1e-30, 1),
    seconds=st.none() | finite,
    words=st.lists(st.text()).map(tuple),
    sizes=st.lists(st.integers(1)).map(tuple),
    seed=st.integers(),
    temperature=st.just("auto") | finite,
    inner=inners,
    maybe=st.none() | inners,
    parts=st.lists(inners, max_size=3).map(tuple),
)


@given(wholes)
def test_dump_and_read_are_each_others_inverse(whole: Whole) -> None:
    values = dump(whole)
    again = read(Whole, values)
    assert again == whole
    assert dump(again) == values


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*field_types(Whole), "kind", "odd key"]), junk))
def test_junk_is_read_or_refused_but_never_crashes(values: dict[str, object]) -> None:
    try:
        faults: tuple[Fault, ...] = ()
        assert isinstance(read(Whole, values), Whole)
    except SettingsError as error:
        faults = error.faults
    assert all(fault.key and fault.message for fault in faults)


def test_help_is_the_text_under_a_field() -> None:
    helps = field_help(Whole)
    assert helps["name"] == "What it is called."
    assert helps["count"] == "How many,\nover two lines."
    assert "mode" not in helps


def test_help_of_a_class_without_source() -> None:
    space: dict[str, Any] = {"dataclass": dataclass, "Settings": Settings, "__name__": "typed_in"}
    exec("@dataclass(frozen=True, kw_only=True)\nclass Typed(Settings):\n    a: int = 1\n    'Help.'", space)
    assert field_help(space["Typed"]) == {}


def test_describe_tells_name_default_and_help() -> None:
    rows = {name: (default, text) for name, default, text in describe(Whole)}
    assert rows["name"] == ("needed", "What it is called.")
    assert rows["count"] == ("3", "How many, over two lines.")
    assert rows["seconds"] == ("empty", "")


def test_nearest_name() -> None:
    assert did_you_mean("rat", ["rate", "seed"]) == "did you mean 'rate'?"
    assert did_you_mean("zzz", ["b", "a"]) == "choose from a, b"
    assert did_you_mean("zzz", []) == "there are none"


def test_a_choosing_class_sees_its_own_key() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Chooser(Settings):
        kind: ClassVar[str] = ""

        @classmethod
        def variant(cls, values: dict[str, Any]) -> Any:
            if values.pop("kind", "") != "inner":
                raise SettingsError([Fault("kind", "is unknown")])
            return Inner

    assert read(Chooser, {"kind": "inner", "rate": 2}) == Inner(rate=2)
    with pytest.raises(SettingsError, match=r"^part\.kind: is unknown$"):
        read(Chooser, {"kind": "other"}, key="part")
