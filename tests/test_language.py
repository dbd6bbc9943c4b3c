"""Telling English from other languages."""

from __future__ import annotations

import pytest
from onrecord.data.corpus import article_text, bundled_corpus, read_corpus
from onrecord.data.language import looks_english


def test_every_article_of_the_corpus_looks_english() -> None:
    assert [
        article.id for article in read_corpus(bundled_corpus()) if not looks_english(article_text(article)[0])
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "Der Bürgermeister sagte am Freitag, dass die Brücke in der Nacht gesperrt worden sei, weil ein Pfeiler reiße.",
        "De burgemeester zei vrijdag dat de brug was afgesloten, en het is niet bekend wanneer hij weer open gaat.",
        "Le maire a déclaré vendredi que le pont avait été fermé pendant la nuit ; on ne sait pas qui va payer.",
        "El alcalde dijo el viernes que el puente había sido cerrado durante la noche y que nadie resultó herido.",
        "O prefeito disse na sexta-feira que a ponte foi fechada durante a noite porque surgiram fissuras.",
        "Il sindaco ha detto venerdì che il ponte è stato chiuso durante la notte perché erano apparse crepe.",
        "Burmistrz powiedział w piątek, że most został zamknięty w nocy, a to kto za to zapłaci, nie jest znane.",
        "Borgmesteren sagde fredag, at broen var blevet lukket i løbet af natten, fordi der var revner i en pille.",
        "Wali kota mengatakan pada hari Jumat bahwa jembatan itu ditutup pada malam hari karena ada retakan.",
        "Belediye başkanı cuma günü köprünün gece boyunca kapatıldığını söyledi çünkü bir ayakta çatlaklar vardı.",
        "Мер сказав, що міст закрили вночі.",
        "市长周五表示,由于桥墩出现裂缝,大桥已于夜间关闭。",
        "قال رئيس البلدية يوم الجمعة إن الجسر أغلق خلال الليل",
    ],
)
def test_other_languages_do_not_look_english(text: str) -> None:
    assert not looks_english(text)


@pytest.mark.parametrize("text", ["Bridge shut", "Yes.", "12.5%", "🙂", "Mayor Łukasz Żółć quits"])
def test_too_little_text_gets_the_benefit_of_the_doubt(text: str) -> None:
    assert looks_english(text)
