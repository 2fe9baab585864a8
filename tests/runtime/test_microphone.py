"""A microphone, by a stand-in for PortAudio: what is missing is told in one line, and what was unplugged comes back."""

import sys

import numpy as np
import pytest

from microphones_made import FakePortAudio, microphone
from sayso.errors import AudioError, DeviceError, MissingExtraError
from sayso.runtime.microphone import Microphone

BLOCK = np.full((960, 1), 0.25, np.float32)


@pytest.fixture
def told():
    return []


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr("sayso.runtime.microphone._LOST_SECONDS", 0.01)
    monkeypatch.setattr("sayso.runtime.microphone._POLL_SECONDS", 0.01)
    monkeypatch.setattr("sayso.runtime.microphone._RETRY_SECONDS", 0.01)


def test_the_default_is_heard_at_its_own_rate(monkeypatch, told):
    fake = FakePortAudio(microphone("built in", rate=44_100), microphone("USB")).install(monkeypatch)
    fake.says = [[BLOCK, 2 * BLOCK]]
    heard = Microphone(tell=told.append)
    assert (heard.name, heard.sample_rate) == ("built in", 44_100)
    blocks = heard.blocks()
    assert [next(blocks).max() for _ in range(2)] == [0.25, 0.5]
    heard.close()
    assert told == []
    opened = fake.opened[0]
    assert (opened["device"], opened["channels"], opened["samplerate"], opened["dtype"]) == (0, 1, 44_100, "float32")


@pytest.mark.parametrize("device", ["1", "USB", "usb mic", "USB microphone"])
def test_a_microphone_is_found_by_number_or_name(device, monkeypatch, told):
    devices = (microphone("built in"), microphone("USB microphone"), microphone("speaker", channels=0))
    FakePortAudio(*devices).install(monkeypatch)
    assert Microphone(device, tell=told.append).name == "USB microphone"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "XLR"}, "no microphone is called 'XLR'; there are: 0 USB one; 1 USB two"),
        ({"device": "7"}, "no microphone is called '7'; there are"),
        ({"device": "USB"}, "'USB' is the name of several: 0, 1; there are: 0 USB one; 1 USB two"),
        (
            {"sample_rate": 12_345},
            "USB one cannot be heard at 12345 Hz (Invalid samplerate); leave --rate out to take its",
        ),
        ({"channels": 3}, "USB one has 1 channel, --channels is 3"),
    ],
)
def test_what_a_microphone_has_not_is_told(options, message, monkeypatch, told):
    fake = FakePortAudio(microphone("USB one"), microphone("USB two")).install(monkeypatch)
    fake.refused = {("samplerate", 12_345)}
    with pytest.raises(DeviceError) as caught:
        Microphone(**options, tell=told.append)
    assert str(caught.value).startswith(message)


def test_no_microphone_no_portaudio_no_package_and_another_program(monkeypatch, told):
    FakePortAudio(microphone("speaker", channels=0)).install(monkeypatch)
    with pytest.raises(DeviceError, match="there is no microphone; plug one in, or pipe sound in"):
        Microphone(tell=told.append, otherwise="pipe sound in")
    with pytest.raises(AudioError, match="--rate is 0, must be 1000 to 768000 Hz"):
        Microphone(sample_rate=0, tell=told.append)
    with pytest.raises(DeviceError, match=r"there is no microphone; plug one in$"):
        Microphone(tell=told.append)
    fake = FakePortAudio(microphone("USB")).install(monkeypatch)
    fake.busy = True
    with pytest.raises(DeviceError, match=r"USB cannot be opened \(Device unavailable\); is another program"):
        Microphone(tell=told.append)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match="microphones need an extra that is not installed"):
        Microphone(tell=told.append)
    monkeypatch.delitem(sys.modules, "sounddevice")

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(DeviceError, match=r"PortAudio, which is missing .* apt install libportaudio2\), or sing$"):
        Microphone(tell=told.append, otherwise="sing")


def test_a_device_that_cannot_be_heard_in_one_channel_is_heard_in_few(monkeypatch, told):
    fake = FakePortAudio(microphone("array", channels=32)).install(monkeypatch)
    fake.refused = {("channels", 1), ("channels", 2)}
    Microphone(tell=told.append)
    assert fake.opened[-1]["channels"] == 32


def test_an_unplugged_microphone_is_awaited_under_its_name(monkeypatch, told, hasty):
    usb = microphone("USB", rate=16_000)
    fake = FakePortAudio(microphone("built in"), usb).install(monkeypatch)
    fake.says = [[BLOCK], [2 * BLOCK]]
    blocks = Microphone("1", tell=told.append).blocks()
    assert next(blocks).max() == 0.25
    fake.devices = [microphone("new"), microphone("built in")]
    tries = []
    initialize = fake._initialize

    def plug_in_at_the_third():
        tries.append(None)
        if len(tries) == 3:
            fake.devices.append(usb)
        initialize()

    monkeypatch.setattr(fake, "_initialize", plug_in_at_the_third)
    assert next(blocks) is None
    assert next(blocks).max() == 0.5
    assert [settings["device"] for settings in fake.opened] == [1, 2]
    assert [settings["samplerate"] for settings in fake.opened] == [16_000, 16_000]
    assert told == ["USB gives no sound any more; unplugged? It is tried again every 0.01 s", "USB is back"]


def test_sound_that_is_lost_is_counted(monkeypatch, told):
    fake = FakePortAudio(microphone("USB")).install(monkeypatch)
    fake.says, fake.overflows = [[BLOCK] * 503], False
    heard = Microphone(tell=told.append)
    blocks = heard.blocks()
    for _ in range(500):  # ten seconds
        next(blocks)
    heard.close()
    heard.close()
    assert told == [
        "some sound from USB is lost, as this machine is too busy to take it in time",
        "from USB sound was lost 3 times",
    ]
