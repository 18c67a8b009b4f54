"""The estimate against what espeak really takes."""

from __future__ import annotations

import pytest

from renderkiln.media.speech.contract import (
    Utterance,
)
from renderkiln.media.speech.espeak import Espeak
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.media.speech.settings import SpeechSettings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        (
            "en-us",
            "The sea was calm that evening, and nobody on the pier said a word. We waited for the lights.",
        ),
        ("en-us", "On 3 May 2024, 17 of 250 people paid $40 each."),
        ("de", "Draußen war es schon dunkel, und im Haus brannte nur noch eine einzige Lampe."),
        ("fr", "La mer était calme ce soir-là, et personne ne parlait sur le quai."),
        ("ru", "Море было спокойно в тот вечер, и никто на причале не говорил ни слова."),
        ("hi", "उस शाम समुद्र शांत था और घाट पर कोई कुछ नहीं बोल रहा था।"),
        ("ar", "كان البحر هادئا في ذلك المساء ولم يتكلم أحد على الرصيف."),
        ("cmn", "那天晚上大海很平静，码头上没有人说话。我们等着灯光。"),
        ("ja", "そのよる、うみはしずかで、だれもはなしていませんでした。"),
        ("ko", "그날 저녁 바다는 고요했고 부두에서는 아무도 말을 하지 않았다."),
    ],
)
def test_within_a_quarter(voice: str, text: str) -> None:
    spoken = Espeak(SpeechSettings()).speak(Utterance(text, voice), stop=lambda: False).seconds
    assert estimate_seconds(text) == pytest.approx(spoken, rel=0.25)


def test_pauses_count_in_full_and_speed_only_for_speech() -> None:
    plain = estimate_seconds("Breathe in. Breathe out.")
    assert estimate_seconds("Breathe in. [pause 10s] Breathe out.") == pytest.approx(plain + 10)
    assert estimate_seconds("Breathe in. [pause 10s] Breathe out.", 2.0) == pytest.approx(plain / 2 + 10)
