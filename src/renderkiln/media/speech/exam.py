"""The exam that every speech provider passes, ours and yours."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import ClassVar

import numpy as np

from renderkiln.media.speech.cache import key_of
from renderkiln.media.speech.contract import Provider, Speech, SpeechStopped, UnknownVoice, Utterance

_STOPPED_WITHIN = 2.0  # seconds


class SpeechExam:
    """Inherit it in a test file, and pytest finds its questions:

        class TestMine(SpeechExam):
            voice = "one-of-mine"
            unknown_voice = "no such voice"

            def make_provider(self) -> Provider:
                return Mine(SpeechSettings(...))

    `text` is spoken several times. Whatever a question costs, your provider pays: examine it against a server
    of your own.
    """

    voice: ClassVar[str]
    unknown_voice: ClassVar[str]
    text: ClassVar[str] = "Close your eyes. Breathe in slowly, and out again."

    def make_provider(self) -> Provider:
        """A new provider, ready to speak."""
        raise NotImplementedError("an exam needs a provider")

    def test_it_says_what_it_is(self) -> None:
        provider = self.make_provider()
        try:
            assert provider.name, "a provider has a name"
            assert ":" not in provider.name, "a name is what stands before the colon of a voice"
            assert provider.version, "a provider has a version"
            assert provider.limit >= 1, "the limit is a number of characters"
            assert provider.cost_per_character >= 0, "a cost is not negative"
        finally:
            provider.close()

    def test_known_voices_pass_and_unknown_ones_do_not(self) -> None:
        provider = self.make_provider()
        try:
            for voice in [self.voice, *(each.id for each in provider.voices())]:
                provider.check(voice)
        finally:
            provider.close()
        assert self._refusal(), "check must raise UnknownVoice before any work"

    def test_speech_is_sound_of_a_plausible_length(self) -> None:
        speech = self._spoken()
        assert speech.samples.dtype == np.float32, "samples are float32"
        assert speech.samples.ndim == 1, "speech is mono, of shape (n,)"
        assert 8000 <= speech.rate <= 192000, "the rate is in Hz"
        assert np.isfinite(speech.samples).all(), "every sample is a number"
        assert 0.001 < np.abs(speech.samples).max() <= 1.0, "full scale is 1.0, and silence is no speech"
        assert 0.02 < speech.seconds / len(self.text) < 0.5, "seconds for each character"
        assert speech.cost >= 0, "a cost is not negative"

    def test_words_are_in_order_and_within_the_sound(self) -> None:
        speech = self._spoken()
        at = 0.0
        for word in speech.words:
            assert at <= word.start <= word.end <= speech.seconds, f"the times of {word} are out of order"
            assert word.text in self.text, f"{word} was never written"
            at = word.start

    def test_the_identity_is_json_and_tells_one_utterance_from_another(self) -> None:
        provider = self.make_provider()
        plain = Utterance(self.text, self.voice)
        near = replace(plain, before="Before.", after="After.")
        try:
            identity = provider.identity(plain)
            assert json.loads(json.dumps(identity)) == dict(identity), "an identity is plain JSON"
            assert key_of(identity) == key_of(provider.identity(plain)), "the same, the same identity"
            others = [replace(plain, text="Other."), replace(plain, speed=1.1)]
            for other in others:
                assert key_of(provider.identity(other)) != key_of(identity), f"{other} sounds otherwise"
            stitched = key_of(provider.identity(near)) != key_of(identity)
            assert stitched == provider.stitches, "neighbours are in the identity of those that stitch, only"
        finally:
            provider.close()

    def test_it_stops_when_it_is_told(self) -> None:
        provider = self.make_provider()
        started = time.monotonic()
        try:
            provider.speak(Utterance(self.text, self.voice), stop=lambda: True)
        except SpeechStopped:
            assert time.monotonic() - started < _STOPPED_WITHIN, "it took too long to stop"
            return
        finally:
            provider.close()
        raise AssertionError("speak must raise SpeechStopped when it is told to stop")

    def test_its_errors_are_for_people(self) -> None:
        assert len(self._refusal()) > 10, "an error says what is wrong"
        assert "\n" not in self._refusal(), "on one line"

    def _refusal(self) -> str:
        provider = self.make_provider()
        try:
            provider.check(self.unknown_voice)
        except UnknownVoice as error:
            return str(error)
        finally:
            provider.close()
        return ""

    def _spoken(self) -> Speech:
        provider = self.make_provider()
        try:
            return provider.speak(Utterance(self.text, self.voice), stop=lambda: False)
        finally:
            provider.close()
