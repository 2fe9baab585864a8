"""What is said of a model that has heard all speakers."""

from sayso.studies.tuning.verdict import judge


def told(by_others, alarms=0.0, hours=100.0, fired=0):
    alarm = {"n": int(4 * alarms), "per_hour": alarms}
    facts = {
        "false_alarms_per_hour": 0.5,
        "chosen": {"up": {"keeps_rate": True}},
        "test": {"independent_hours": hours, "alarms": {"n": fired}, "per_word": {"up": {"alarms": {"per_hour": 0.1}}}},
        "each_speaker": {
            "thresholds_by_others": {name: {"up": each} for name, each in by_others.items()},
            "alarms_of_the_model": alarm,
            "alarms_of_the_model_per_word": {"up": alarm},
        },
    }
    return list(judge(facts))


def test_how_often_the_model_itself_fires_is_told():
    (note,) = told({"ann": 0.8, "bob": 0.85})
    assert "fired 0 times on the same test streams: 0 false alarms an hour" in note
    often = told({"ann": 0.8, "bob": 0.85}, alarms=2.0)
    assert "there it fires more often than the 0.5 an hour of each word: 'up' 2" in often[1]


def test_thresholds_that_hang_on_who_is_left_out_are_told():
    assert "thresholds hang on who is left out: 'up' 0.50 to 0.85" in told({"ann": 0.5, "bob": 0.85})[1]


def test_hours_that_are_too_few_are_told_without_alarms_that_there_were():
    assert told({"ann": 0.8}, hours=1.0)[-1].startswith(
        "0 alarms in 1 h of different background: the true rate may be 3"
    )
    assert told({"ann": 0.8}, hours=1.0, fired=7)[-1].startswith("even 0 alarms in 1 h of different background")
