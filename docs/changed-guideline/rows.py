"""Write the 500 rows of the tutorial's changed guideline: an unnamed spokesperson counts as anonymous.

    python docs/changed-guideline/rows.py > desk.csv

No newsroom's sentences can be given away, so these are put together from parts; your own will be better. Half of them
show the new rule, the others what it leaves alone: named spokespersons, institutions, and the other labels.
"""

from __future__ import annotations

import csv
import random
import sys

BODIES = [
    "the harbour authority", "the transport ministry", "the city council", "Northgate Water", "the state police",
    "the union", "Ferrand Motors", "the hospital trust", "the school board", "the central bank", "Corvale Airlines",
    "the electoral commission", "the museum", "the defence ministry", "Lindqvist Energy", "the football association",
    "the county sheriff's office", "the food safety agency", "the university", "the prosecutor's office",
    "Brightwell Pharma", "the border guard", "the rail operator", "the housing department", "the embassy",
]  # fmt: skip
WOMEN = ["Maren Oduya", "Helen Castellane", "Farah Quintrell", "June Abernethy", "Lucia Ferrante", "Sunniva Dahl"]
MEN = ["Tomas Birk", "Idris Mbeki-Lund", "Piotr Halasz", "Kofi Danso", "Owen Tredinnick", "Rafael Ibarguen"]
CLAIMS = [
    "the inspection had been finished on time", "the new line would open in the autumn",
    "no customer data had been lost", "the figures for March were still being checked",
    "twelve posts would be cut by the end of the year", "the bridge had passed every test",
    "the decision was taken before the storm", "talks with the creditors were going well",
    "the leak had been found and closed", "the tender would be repeated", "staff had been told in writing",
    "the rules applied to everyone", "two of the four pumps had failed", "the vote would not be postponed",
    "the contract ran until 2031", "the prices were in line with the market", "the complaint was being looked into",
    "the fire had started in the basement", "more than 300 applications had come in",
    "the patient records were safe", "the ship had left port with its papers in order",
    "there were no plans to sell the site", "the ban covered private cars too", "the money had been paid back",
    "all crews had been trained for such a case", "the report would be published in full",
    "the recall affected 1,900 vehicles", "the winter timetable would stay as it was",
]  # fmt: skip
SAID = ["said", "confirmed", "told reporters", "said on Monday", "added", "insisted", "said by email", "acknowledged"]
SPOKEN = ["spokesperson", "spokesman", "spokeswoman"]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _speaker(pick: random.Random) -> tuple[str, str]:
    who = pick.choice(SPOKEN)
    return who, pick.choice({"spokesman": MEN, "spokeswoman": WOMEN}.get(who, WOMEN + MEN))


def _that(verb: str) -> str:
    return f"{verb} that" if verb != "told reporters" else "told reporters that"


def unnamed(pick: random.Random) -> tuple[str, str]:
    """Return a sentence that the new rule moves."""
    body, claim, said, who = (pick.choice(parts) for parts in (BODIES, CLAIMS, SAID, SPOKEN))
    bare = body.removeprefix("the ")
    forms = [
        f"A {who} for {body} {_that(said)} {claim}.",
        f"{_upper(claim)}, a {who} for {body} {said}.",
        f"“{_upper(claim)},” a {who} for {body} {said}.",
        f"{_upper(body)}’s {who} {_that(said)} {claim}.",
        f"According to a {who} for {body}, {claim}.",
        f"A {bare} {who} {_that(said)} {claim}.",
        f"In a statement, a {bare} {who} {_that(said)} {claim}.",
        f"Asked about it, a {who} of {body} {_that(said)} {claim}.",
    ]
    return pick.choice(forms), "anonymous"


def named(pick: random.Random) -> tuple[str, str]:
    """Return a sentence of a spokesperson with a name."""
    body, claim, said = (pick.choice(parts) for parts in (BODIES, CLAIMS, SAID))
    who, name = _speaker(pick)
    forms = [
        f"{name}, a {who} for {body}, {_that(said)} {claim}.",
        f"{_upper(claim)}, {said} {name}, the {who} of {body}." if said in ("said", "confirmed", "added") else
        f"{_upper(claim)}, {body}’s {who} {name} {said}.",
        f"{_upper(body)}’s {who} {name} {_that(said)} {claim}.",
        f"“{_upper(claim)},” {name}, {who} for {body}, {said}.",
        f"According to {name}, who speaks for {body}, {claim}.",
    ]  # fmt: skip
    return pick.choice(forms), "attributed"


def institution(pick: random.Random) -> tuple[str, str]:
    """Return a sentence of an institution that speaks for itself."""
    body, claim, said, name = (pick.choice(parts) for parts in (BODIES, CLAIMS, SAID, WOMEN + MEN))
    forms = [
        f"{_upper(body)} {_that(said)} {claim}.",
        f"{_upper(claim)}, according to {body}.",
        f"In a statement, {body} {_that(said)} {claim}.",
        f"{name}, who heads {body}, {_that(said)} {claim}.",
    ]
    return pick.choice(forms), "attributed"


def hidden(pick: random.Random) -> tuple[str, str]:
    """Return a sentence of another source that nobody could look up."""
    body, claim, said = (pick.choice(parts) for parts in (BODIES, CLAIMS, SAID))
    forms = [
        f"Two people familiar with the matter {_that(said)} {claim}.",
        f"A senior official at {body}, who asked not to be named, {_that(said)} {claim}.",
        f"Residents {_that(said)} {claim}.",
        f"{_upper(claim)}, officials {said}.",
    ]
    return pick.choice(forms), "anonymous"


def unconfirmed(pick: random.Random) -> tuple[str, str]:
    """Return a sentence with nobody behind its claim."""
    body, claim = pick.choice(BODIES), pick.choice(CLAIMS)
    forms = [
        f"It was not clear whether {claim}.",
        f"{_upper(body)} may have known for months.",
        f"Reportedly, {claim}.",
        f"{_upper(body)} is thought to be looking for a buyer.",
        f"Whether {claim} could not be independently verified.",
    ]
    return pick.choice(forms), "unverified"


def plain(pick: random.Random) -> tuple[str, str]:
    """Return a sentence without a reported claim, spokespersons who say nothing among them."""
    body, claim = pick.choice(BODIES), pick.choice(CLAIMS)
    who, name = _speaker(pick)
    forms = [
        f"A {who} for {body} declined to comment.",
        f"A {who} for {body} could not be reached on Friday.",
        f"{name} became {who} of {body} in 2019.",
        f"{_upper(body)} has had no {who} since the spring.",
        f"{_upper(claim)}.",
    ]
    return pick.choice(forms), "none"


PARTS = [(unnamed, 250), (named, 90), (institution, 50), (hidden, 30), (unconfirmed, 30), (plain, 50)]


def rows(seed: int = 13) -> list[tuple[str, str]]:
    """Return 500 different rows `(text, label)` in random order."""
    pick = random.Random(seed)  # noqa: S311 - no secret
    found: dict[str, str] = {}
    for make, n in PARTS:
        goal = len(found) + n
        while len(found) < goal:
            text, label = make(pick)
            found.setdefault(text, label)
    shuffled = list(found.items())
    pick.shuffle(shuffled)
    return shuffled


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["text", "label"])
    writer.writerows(rows())
