"""The virtual number of a SIP line: calls that the line makes bear it."""

from pathlib import Path

from callwright.calls.events import LegStarted
from callwright.engines.simulated.far_end import Answers, FarEnd, HangsUp
from tests.api.house import DIRECTORY, house
from tests.data.test_entities import done

CONTACT, OWN = "79260000000", "74993720693"
"The account has another number before it."
OUT = DIRECTORY.replace(
    'full_name = "Анна Орлова"\n', 'full_name = "Анна Орлова"\ncalls_out = true\n'
)


def test_a_call_that_a_line_makes_bears_its_number(tmp_path: Path) -> None:
    far_ends = {CONTACT: FarEnd(((0.0, Answers()), (0.2, HangsUp())))}
    with house(tmp_path, far_ends) as home:
        home.apply(OUT)
        [line] = home.data("get.sip_lines", {})["result"]["data"]
        done(home, "update.sip_lines", id=line["id"], virtual_phone_number=OWN)
        home.calls_in(caller=line["phone_number"], called=CONTACT, trunk=None)
        started = home.news.wait_for(
            lambda event: isinstance(event, LegStarted) and not event.offered
        )
        assert isinstance(started, LegStarted)
        assert (started.calling_number, started.called_number) == (OWN, CONTACT)
        call = home.until_finished(started.session)
        assert call["virtual_phone_number"] == OWN
