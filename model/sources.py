"""Group the mentions of an article's sources by rule: who is cited, and where.

- Equal words are one source; so are a full name and any part of it (`Governor Ana Ruiz`, `Ruiz`).
- A pronoun goes with the last compatible source: `he` and `she` with a person of that gender, not further back than
  four sentences and not over somebody else whose name opens a sentence; `it` with an institution or a document, `they`
  with several, of this sentence or the one before. Sentences that are quotations only do not count.
- A title or description (`the governor`) goes with the last source that bears it, in a mention or beside its name in
  the text; `the official` and the like, if nothing bears it, with an unidentified source of this sentence or the one
  before.
- Descriptions that tell their noun apart (`the health ministry`, `the defence ministry`) are two sources.
- Identified and unidentified sources are never one, and what is not resolved stays apart: `one of them` is another
  source than `them`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..data.labels import Kind
from .scored import ScoredSentence, Source

SENTENCES_BACK = 4
"""How far back `he` and `she` look for a person."""
OPENING = 60
"""Characters of a sentence in which its subject is looked for."""
NAME_CHARACTERS = 160
"""A source's name is cut off behind so many."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PRONOUNS = {
    **dict.fromkeys(("he", "him", "his"), "he"),
    **dict.fromkeys(("she", "her", "hers"), "she"),
    **dict.fromkeys(("it", "its"), "it"),
    **dict.fromkeys(("they", "them", "their", "both"), "they"),
}
_HE = _words("mr sir lord king prince father brother husband son spokesman man")
_SHE = _words("mrs ms miss mme dame lady queen princess mother sister wife daughter spokeswoman woman")
_TITLES = (
    _HE
    | _SHE
    | _words(
        "dr prof professor rev col gen capt maj lt sgt gov sen rep pharm judge justice president premier governor "
        "senator representative chancellor minister prime mayor sergeant colonel captain general inspector "
        "commissioner chairman chairwoman coach auditor archbishop bishop pope imam sheikh state federal deputy police "
        "chief house senate leader speaker ambassador secretary opposition moderator"
    )
)
"""Words that may stand before a name and are no part of it."""
_SHORT = {"gov": "governor", "sen": "senator", "rep": "representative", "col": "colonel", "gen": "general"}
_OFFICES = _words("chief secretary minister head director leader")
_INSTITUTIONS = _words(
    "ministry department office agency council committee commission court bank bureau board university college school "
    "institute association federation union party authority service services group company police army force forces "
    "guard government parliament congress league club centre center hospital church fund trust society news times post "
    "journal gazette telegraph tribune herald watch press media data radio television insurance airlines network "
    "foundation campaign movement alliance front administration inquiry tribunal embassy command partners capital "
    "holdings presidency works dairies farmers ratings international firm"
)
_DOCUMENTS = _words(
    "report reports study studies survey poll polls review analysis note notice letter memo document documents "
    "indictment complaint ruling decision statement filing figures records data accounts media papers research audit "
    "inventory summary bulletin chapter newspaper newspapers"
)
_SEVERAL = _words("two three four five six seven eight nine ten several some many few most dozens both")
_NEW = _SEVERAL | _words("a an one another someone somebody other others")
_POINTING = _words("the this that these those its his her their")

_NOT_NAMES = _TITLES | _NEW | _POINTING
_NO_SUBJECT = re.compile(
    r"\s*(?:he|she|it|they|whatever|when|if|while|as|although|though|because|since|that|whether|how|what|why|unless|once|where)\b",
    re.IGNORECASE,
)

_CAPITAL = r"(?:(?:[dl]['’]|[ae]l-)?[A-ZÀ-ÖØ-Þ][\w'’-]*\.?)"
_PARTICLE = r"(?:de|da|di|del|van|von|der|den|la|le|el|al|bin|ibn|an|y)"
_NAMES = re.compile(rf"{_CAPITAL}(?:\s(?:{_PARTICLE}\s){{0,2}}{_CAPITAL})*")
_POSSESSOR = re.compile(r"^.*(?:['’]s|s['’])\s")
_CLAUSE = re.compile(r",?\s(?:who|whom|whose|which|that|speaking|granted)\b.*", re.DOTALL)
_TAIL = re.compile(
    r"\s(?:of|at|in|for|on|from|to|with|by|near|over|familiar|close|who|whom|issued|released|filed|called"
    r"|\w+ed\s(?:on|by|in|to|about|at|with|for))\b.*",
    re.DOTALL,
)
_PLACED = re.compile(r"\b(?:of|at|in|for|on|from|to|with|by|near|under|after|before|between|across)\s(?:the\s)?$")
_OFFICE_BETWEEN = re.compile(r"\s(?!(?:and|or)\b)(?:[a-z-]+\s)+")
_BEFORE = re.compile(r"(?:[\w-]+\.?\s){1,3}$")
_BESIDE = re.compile(r",\s([^,.;]{3,60})[,.;]")
_LIST = re.compile(
    rf"(?:[Tt]he\s)?{_NAMES.pattern}(?:,\s(?:the\s)?{_NAMES.pattern})*,?\sand\s(?:the\s)?{_NAMES.pattern}"
)
_PERSON = re.compile(r"-(?:old|born)\b|\b(?:witness|defendant|accused|candidate|mother|father)$")
"""A description that means a person, whoever was cited last."""
_QUOTED = re.compile(r"“[^”\n]*”?|«[^»\n]*»?|\"[^\"\n]*\"?")

Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """A source span, `text[start:end]` of the article."""

    sentence: int
    start: int
    end: int
    text: str
    kind: Kind


@dataclass(slots=True)
class _Phrase:
    """What the words of a mention say."""

    plain: str
    """The words without article and case."""
    pronoun: str | None = None
    name: Name = ()
    """The words of a proper name without titles, where it may be a person's."""
    heads: set[str] = field(default_factory=set)
    """Nouns that say what the source is: `governor`, `committee`."""
    gender: str | None = None
    """`he` or `she`."""
    several: bool = False
    new: bool = False
    """It points at nothing said before: `a resident`."""
    pointing: bool = False
    """It points back: `the official`."""


@dataclass(slots=True)
class _Group:
    """A source, as far as it is known."""

    kind: Kind
    mentions: list[int]
    phrase: _Phrase
    """The first mention's, filled up by the others."""
    plain: set[str]
    last: int
    """Where in the text it was last mentioned."""

    @property
    def person(self) -> bool:
        if self.kind == "identified":
            return len(self.phrase.name) > 1 or self.phrase.gender is not None
        return not self.phrase.several and not self.phrase.heads & (_DOCUMENTS | _INSTITUTIONS)


def group_sources(text: str, sentences: Sequence[ScoredSentence]) -> tuple[Source, ...]:
    """Group the sources of a scored article, in the order of their first mention.

    A quotation that runs on without a source of its own rests on the source of the sentence before.
    """
    mentions: list[Mention] = []
    for place, sentence in enumerate(sentences):
        for span in sentence.evidence:
            if span.tag == "source":
                kind: Kind = span.kind or ("unidentified" if sentence.label == "anonymous" else "identified")
                mentions.append(Mention(place, span.start, span.end, span.text, kind))
    mentions.sort(key=lambda mention: mention.start)
    resolver = _Resolver(text, [(sentence.start, sentence.end) for sentence in sentences], mentions)
    cited_in = _cited_in(sentences, mentions, resolver.groups)
    return tuple(
        Source(_name(group, mentions), group.kind, tuple(sorted(cited_in[number])))
        for number, group in enumerate(resolver.groups)
    )


def group_mentions(text: str, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]) -> list[list[int]]:
    """Group mentions, given in reading order, by the source that they mean.

    Args:
        text: The article.
        sentences: The sentences' offsets in it.
        mentions: The source spans.

    Returns:
        Groups of indices into `mentions`, in the order of their first mention.
    """
    return [group.mentions for group in _Resolver(text, sentences, mentions).groups]


class _Resolver:
    """Takes mentions in reading order and puts each into a group."""

    def __init__(self, text: str, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]) -> None:
        self.text = _QUOTED.sub(lambda quoted: " " * len(quoted.group()), text)
        self.sentences = sentences
        self.full_names = self._full_names()
        self.openings = self._openings()
        self.opened_at: dict[str, list[int]] = {}
        for place, name in self.openings:
            self.opened_at.setdefault(name[-1], []).append(place)
        self.places: dict[str, list[int]] = {}
        for match in re.finditer(_CAPITAL, self.text):
            self.places.setdefault(_strip_titles([match.group()])[0], []).append(match.start())
        self.groups: list[_Group] = []
        for index, mention in enumerate(mentions):
            following = mentions[index + 1].start if index + 1 < len(mentions) else len(text)
            self._add(index, mention, min(following, sentences[mention.sentence][1]))

    def _add(self, index: int, mention: Mention, stop: int) -> None:
        """Put a mention into its group; its sentence up to `stop` may tell its gender."""
        phrase = _parse(mention.text, mention.kind)
        if phrase.name:
            phrase.name = self._full_name(phrase.name)
        if phrase.name and phrase.gender is None:
            phrase.gender = self._gender(phrase.name[-1], mention.start, stop)
        group = self._find(mention, phrase)
        if group is None:
            self.groups.append(_Group(mention.kind, [index], phrase, {phrase.plain}, mention.end))
            return
        group.mentions.append(index)
        group.last = mention.end
        known = group.phrase
        known.gender = known.gender or phrase.gender
        if not phrase.pronoun:
            group.plain.add(phrase.plain)
            known.heads |= phrase.heads
            known.name = max(known.name, phrase.name, key=len)

    def _find(self, mention: Mention, phrase: _Phrase) -> _Group | None:
        """Return the group that a mention belongs to, if there is one."""
        near = [group for group in self.groups if group.kind == mention.kind]
        near.sort(key=lambda group: self._last_seen(group, mention.start), reverse=True)
        if phrase.pronoun in ("he", "she"):
            return self._person(mention, phrase, near)
        if phrase.pronoun:
            return self._thing(mention, phrase.pronoun, near)
        if phrase.name:
            same = [group for group in near if _same_name(phrase, group.phrase)]
            return same[0] if len(same) == 1 else None
        if not phrase.new:
            for group in near:
                if phrase.plain in group.plain:
                    return group
        return self._described(mention, phrase, near) if phrase.pointing else None

    def _person(self, mention: Mention, phrase: _Phrase, near: Sequence[_Group]) -> _Group | None:
        """Return whom `he` or `she` stands for; somebody who is no source yet is noted in `phrase`."""
        seen = self._back(mention.sentence, SENTENCES_BACK)
        found = None
        for group in near:
            if self._last_seen(group, mention.start) < seen:
                break
            if group.person and group.phrase.gender in (None, phrase.gender):
                found, seen = group, self._last_seen(group, mention.start)
                break
        if mention.kind == "identified":
            known = {group.phrase.name[-1] for group in near if group.phrase.name}
            recent = self.openings[bisect_left(self.openings, (seen,)) : bisect_left(self.openings, (mention.start,))]
            others = [name for _, name in recent if name[-1] not in known]
            if others:
                phrase.name = others[-1]
                return None
        return found

    def _thing(self, mention: Mention, pronoun: str, near: Sequence[_Group]) -> _Group | None:
        """Return what `it` or `they` stands for."""
        for group in near:
            if not self._close(group, mention):
                break
            if pronoun == "they" and group.phrase.several:
                return group
            if pronoun == "it" and mention.kind == "identified" and not group.phrase.several and not group.person:
                return group
        last = near[0] if near else None
        if last and pronoun == "it" and last.last >= self.sentences[mention.sentence][0] and not last.phrase.gender:
            return last  # a name that might have been a person's
        return None

    def _described(self, mention: Mention, phrase: _Phrase, near: Sequence[_Group]) -> _Group | None:
        """Return the source that a title or description means."""
        alike = [group for group in near if group.phrase.several == phrase.several and not _opposed(phrase, group)]
        for group in alike:
            if phrase.heads & group.phrase.heads:
                return group
        for group in alike:
            if (
                mention.kind == "identified"
                and group.phrase.name
                and phrase.heads & self._titles(group.phrase.name[-1])
            ):
                return group
        if phrase.heads & (_INSTITUTIONS | _DOCUMENTS):
            return None
        if mention.kind == "identified" and not phrase.several and not _PERSON.search(phrase.plain):
            return None
        return next(
            (group for group in alike if self._close(group, mention) and (group.person or phrase.several)), None
        )

    def _close(self, group: _Group, mention: Mention) -> bool:
        """Say whether a source was seen in the mention's sentence or in the one before."""
        return self._last_seen(group, mention.start) >= self._back(mention.sentence, 1)

    def _back(self, sentence: int, n_sentences: int) -> int:
        """Return where the text so many sentences back begins, those that are quotations only not counted."""
        while sentence > 0 and n_sentences > 0:
            sentence -= 1
            start, end = self.sentences[sentence]
            n_sentences -= any(map(str.isalpha, self.text[start:end]))
        return self.sentences[sentence][0]

    def _last_seen(self, group: _Group, before: int) -> int:
        """Return where a source was last mentioned, or where its name last opened a sentence."""
        places = self.opened_at.get(group.phrase.name[-1], []) if group.phrase.name else []
        number = bisect_left(places, before)
        return max(group.last, places[number - 1]) if number else group.last

    def _names(self, start: int, end: int) -> Iterator[tuple[int, Name]]:
        """Yield what may be full or short names of persons in a stretch of text, with their places."""
        for match in _NAMES.finditer(self.text, start, end):
            name = _strip_titles(match.group().split())
            if len(name) <= 4 and not _institution(name):
                yield match.start(), name

    def _full_names(self) -> dict[str, set[Name]]:
        """Return the full names in the text by surname."""
        found: dict[str, set[Name]] = {}
        for start, end in self.sentences:
            for _, name in self._names(start, end):
                if len(name) > 1:
                    found.setdefault(name[-1].casefold(), set()).add(name)
        return found

    def _full_name(self, name: Name) -> Name:
        """Return the full name that goes with a surname, if the text has just one."""
        full = self.full_names.get(name[-1].casefold(), set()) if len(name) == 1 else set()
        return next(iter(full)) if len(full) == 1 else name

    def _openings(self) -> list[tuple[int, Name]]:
        """Return the names of persons that open the text's sentences, and where they stand."""
        found = []
        for start, end in self.sentences:
            if _NO_SUBJECT.match(self.text, start):
                continue
            for place, name in self._names(start, min(end, start + OPENING)):
                if name[-1].casefold() in self.full_names and not _PLACED.search(self.text[start:place]):
                    found.append((place, self._full_name(name)))
                    break
        return found

    def _titles(self, surname: str) -> set[str]:
        """Return the words that stand beside a name in the text: `Mayor Ana Ruiz, the head of the board, …`."""
        found: set[str] = set()
        for place in self.places.get(surname, ()):
            before = _BEFORE.search(self.text, max(0, place - 60), place)
            after = _BESIDE.match(self.text, place + len(surname))
            words = [*before.group().split(), surname] if before else []
            for word, following in pairwise(words):
                office = following.islower() or _title(following) in _TITLES
                if not (office and _title(word) in _INSTITUTIONS):  # `company president Ana Ruiz` is no company
                    found.add(_title(word))
            found |= _parse(after.group(1), "unidentified").heads if after else set()
        return found

    def _gender(self, surname: str, start: int, stop: int) -> str | None:
        """Tell a gender from a title before the name, or from the pronouns behind it."""
        for place in self.places.get(surname, ()):
            before = _BEFORE.search(self.text, max(0, place - 60), place)
            titles = {_title(word) for word in before.group().split()[-2:]} if before else set()
            if titles & (_HE | _SHE):
                return "he" if titles & _HE else "she"
        said = {_PRONOUNS[word] for word in re.findall(r"\b(?:he|his|she|her)\b", self.text[start:stop])}
        return said.pop() if len(said) == 1 else None


def _title(word: str) -> str:
    word = word.casefold().rstrip(".")
    return _SHORT.get(word, word)


def _institution(words: Sequence[str]) -> bool:
    return any(word.casefold().strip(".,") in _INSTITUTIONS for word in words)


def _strip_titles(words: Sequence[str]) -> Name:
    """Return a name without titles: `Prime Minister Ana Ruiz` → `Ana`, `Ruiz`."""
    titles = [place for place, word in enumerate(words[:-1]) if word.casefold().rstrip(".") in _NOT_NAMES]
    start = titles[-1] + 1 if titles else 0
    return tuple(re.sub(r"(?:['’]s?|\.)$", "", word) for word in words[start:])


def _same_name(one: _Phrase, other: _Phrase) -> bool:
    """Say whether a name is the other or a part of it, and no gender stands against it."""
    a, b = ({word.casefold() for word in phrase.name} for phrase in (one, other))
    return bool(a and b) and (a <= b or b <= a) and (one.gender == other.gender or None in (one.gender, other.gender))


def _opposed(phrase: _Phrase, group: _Group) -> bool:
    """Say whether two descriptions tell their noun apart: `the health ministry`, `the defence ministry`."""
    if group.phrase.name or not phrase.heads & group.phrase.heads:
        return False
    own, *others = (set(re.findall(r"[\w-]+", _TAIL.sub("", plain))) for plain in (phrase.plain, *group.plain))
    return any(not (own <= other or other <= own) for other in others)


def _parse(text: str, kind: Kind) -> _Phrase:
    """Read what a mention's words say."""
    words = text.strip(" ,@").casefold()
    if words in _PRONOUNS:
        pronoun = _PRONOUNS[words]
        return _Phrase(words, pronoun, gender=pronoun if pronoun in ("he", "she") else None)
    main = re.sub(r"\([^)]*\)", "", _CLAUSE.sub("", text)).strip(" ,@") or text
    parts = [part.strip() for part in main.split(",") if part.strip()] or [main]
    first = next(iter(parts[0].split()), "").casefold()
    phrase = _Phrase(re.sub(r"^(?:the|a|an)\s", "", main.casefold()), new=first in _NEW)
    phrase.new = phrase.new or phrase.plain in _NEW  # `the other`
    phrase.several = first != "one" and (first in _SEVERAL or _is_plural(parts[0], kind) or _is_list(main))
    for part in parts:
        short = _TAIL.sub("", part)
        rest = _POSSESSOR.sub("", part if short.casefold() in _OFFICES else short)
        name, start = _person_name(rest) if kind == "identified" and not phrase.several else ((), len(rest))
        if len(name) > len(phrase.name):
            phrase.name = name
        head = re.findall(r"[\w-]+", rest[:start])
        if head and head[-1].casefold() not in _POINTING | _NEW:
            phrase.heads.add(_title(head[-1]))
    phrase.gender = "he" if phrase.heads & _HE else "she" if phrase.heads & _SHE else None
    bare = " " not in main and main.islower() and not phrase.several and not phrase.new
    phrase.pointing = not phrase.name and not phrase.new and not main.isupper() and (first in _POINTING or bare)
    return phrase


def _is_plural(part: str, kind: Kind) -> bool:
    """Say whether the head of a phrase is a plural noun: `Two officials`, `people close to her`, but not `Reuters`."""
    head = re.findall(r"[\w-]+", _TAIL.sub("", part))[-1:]
    if not head or (head[0][0].isupper() and kind == "identified"):
        return False
    noun = head[0].casefold()
    plural = noun == "people" or (noun.endswith("s") and not noun.endswith(("ss", "us", "is")))
    return plural and noun not in _INSTITUTIONS


def _is_list(main: str) -> bool:
    """Say whether a phrase is a list of names: `Meta, Snap and TikTok`."""
    words = main.split()
    return bool(_LIST.fullmatch(main)) and not _institution(words) and not {_title(word) for word in words} & _TITLES


def _person_name(part: str) -> tuple[Name, int]:
    """Return what may be a person's name, and where it starts; or nothing, and the part's end.

    A full name goes first, and behind an office it is the person's: `Orvesk Rovers coach Bo Lind`.
    """
    for size in (2, 1):
        found: tuple[Name, int] | None = None
        end = 0
        for match in _NAMES.finditer(part):
            words = match.group().split()
            name = _strip_titles(words)
            article = words[0].casefold() == "the" or part[: match.start()].casefold().endswith("the ")
            if len(name) < size or article or _institution(words) or name[0].casefold() in _NOT_NAMES:
                continue
            if found is None or _OFFICE_BETWEEN.fullmatch(part, end, match.start()):
                found = name, match.start() + match.group().index(name[0])
                end = match.end()
        if found:
            return found
    return (), len(part)


def _cited_in(
    sentences: Sequence[ScoredSentence], mentions: Sequence[Mention], groups: Sequence[_Group]
) -> list[set[int]]:
    """Return the sentences that rest on each source."""
    source_of = {index: number for number, group in enumerate(groups) for index in group.mentions}
    found: list[set[int]] = [set() for _ in groups]
    last: tuple[int, str] | None = None
    for place, sentence in enumerate(sentences):
        own = [index for index, mention in enumerate(mentions) if mention.sentence == place]
        for index in own:
            found[source_of[index]].add(sentence.index)
        if own:
            last = source_of[own[-1]], sentence.label
        elif last and last[1] == sentence.label and sentence.label in ("attributed", "anonymous"):
            found[last[0]].add(sentence.index)
        else:
            last = None
    return found


def _name(group: _Group, mentions: Sequence[Mention]) -> str:
    """Return the words that tell most of a source: the first mention with its name, else with more than a pronoun."""

    def telling(index: int) -> tuple[bool, int]:
        phrase = _parse(mentions[index].text, mentions[index].kind)
        return phrase.pronoun is None, len(phrase.name)

    name = mentions[max(group.mentions, key=telling)].text
    if name.casefold() in _PRONOUNS and group.phrase.name:
        name = " ".join(group.phrase.name)
    return name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"
