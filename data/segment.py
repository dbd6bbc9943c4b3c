"""Cut an article into sentences, with exact offsets: rules for English news, one pass, nothing to load.

`At 8 p.m. Tuesday he left. "Why?" she asked.` → (0, 26), (27, 44).

Lines first: a blank line always ends a sentence. A single newline ends one unless the line runs on: the next line
starts in lower case, this one stops at a comma or a title, or the text is hard-wrapped and the next word did not fit.
So a headline, a byline or a list item on a line of its own is a sentence, whatever its last character.

Within a block the text is cut after `. ! ? …` with the quotation marks and brackets that close there, where white space
follows, unless a rule below objects. A quotation or a bracket of up to 500 characters is never cut inside, as in most
real news and most of the corpus: it has one speaker. The figures, also of other segmenters, stand in `docs/log.md`.

Left out: other languages, and sentences that no mark parts (a headline run into its story on the same line).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

SEGMENTER = "onrecord-rules-1"
"""Name and version, recorded in a model folder: a change of a boundary is a new version."""

MAX_WHOLE = 500
"""Characters of the longest quotation that is kept whole; a longer one, or one never closed, is cut like other text."""

MAX_WRAP = 120
"""Characters of the longest line that counts as hard-wrapped; longer lines are paragraphs on a line of their own."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Before a name, so never the end; written with a capital ("Sen." but "ten ft.").
_TITLES = _words(
    "mr mrs ms mx dr prof rev fr sen sens rep reps gov govs gen lt col capt cpl sgt maj cmdr adm brig pvt supt insp "
    "det hon atty amb messrs mme mlle mgr msgr sra coun cllr barr engr usec asst assoc dist mt ft tel"
)
_NEVER = _words("v vs cf e.g i.e")
# The end, unless a number follows: "No. 2", "Jan. 3".
_NUMBERED = _words("no nos p pp vol fig ext rs ca approx jan feb mar apr jun jul aug sep sept oct nov dec")
# The end, unless a dateline goes on: "RENO, Nev. (AP)".
_STATES = _words(
    "ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ont ore pa "
    "que tenn tex va vt wash wis wyo"
)
# Either, as are initials and dotted abbreviations ("J.", "U.S.", "Ph.D."): the end where a word follows that seldom
# has a capital within a sentence (the orthographic heuristic of Kiss and Strunk, 2006, with a fixed list).
_EITHER = _words("st ave blvd rd jr sr inc corp co cos ltd llc plc bros dept univ gmbh etc al")
_STARTERS = _words(
    "a an the this that these those it its he his she her they their we our you your i my there here what when where "
    "who why how which in on at by for from with to of as after before since while during under over until if although "
    "though because but and or so yet nor not no one two some many most all both each every several another other "
    "others nobody nothing none however meanwhile then now also still even just only later earlier once today "
    "yesterday according asked mr mrs ms it's he's she's they're we're that's there's i'm i've we've you're don't "
    "didn't isn't"
)
# What follows "8 p.m." within a sentence.
_WHEN = re.compile(
    r"\d|-\s|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|"
    r"(?:GMT|UTC|[A-Z]{1,3}T|Eastern|Central|Mountain|Pacific)\b|(?:\w+ ){1,2}[Tt]ime\b|"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|"
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\."
)
# '"Really?" Ana Ruiz asked.'
_TAG = re.compile(
    r"(?:[^\W\d_a-zß-ÿ][\w.’'-]*\s+){1,4}"
    r"(?:said|says|asked|asks|replied|wondered|demanded|shouted|cried|added|answered|wrote|joked)\s*[.,:;]"
)
_WORD = re.compile(r"[^\s\"“”«»(\[/—–]*\Z")
_DASH = re.compile(r"(?:[—–―]|--)\s")
_SPACE = re.compile(r"\s*")
_FIRST = re.compile(r"[\w'’]++(?!\.)")  # not the initial of "J. A. Smith"

_OPENING = "\"'“‘«„([`¿¡"
_CONTINUING = ",;:.!?…)]}/#&+|"
# Where a sentence may end. Every repetition is possessive, so that a run of stops is read once (linear time).
_END = re.compile(
    r"(?P<stop>[.!?…]++)(?P<close>(?:[ \u00a0]?»|''|[\"'”’“»)\]*])*+)"
    r"|(?P<bullet>[•‣▪●])"
    r"|(?P<mark>(?<!\S)(?:[\"”]|'')(?!\S))"
    r"|(?P<bracket>[)\]])"
    r"|(?P<rule>_{3,}+)"
)
# A double mark's direction shows in itself or in the space around it; a single mark counts before a capital and after
# a stop or comma, the rest are apostrophes.
_PAIR = re.compile(r"(?P<double>''|[\"“”„«»])|(?P<single>(?<!\w)[‘'](?=\w)|(?<=[.,!?…])[’'](?!\w))|[()\[\]]")
_ITEM = re.compile(r"[*–—-]\s|\(?\d{1,2}[.)]\s")


def segment(text: str) -> list[tuple[int, int]]:
    """Cut a text into sentences.

    Returns:
        Offsets in code points, end exclusive, in order: without white space at either end, never overlapping, and
        together covering every character that is not white space.
    """
    return [
        (start, start + len(text[start:end].rstrip()))
        for block_start, block_end in _blocks(text)
        for start, end in _cut(text, block_start, block_end)
    ]


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Join the lines that run on; each block starts and ends with a character that is not white space."""
    lines: list[tuple[int, str]] = []
    position = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        lines.append((position + len(line) - len(line.lstrip()), bare))
        position += len(line)
    pairs = [(line, following) for (_, line), (_, following) in pairwise(lines) if following]
    # A line that goes on in lower case was cut at the margin: the longest of them shows where the margin is.
    width = max((len(line) for line, following in pairs if following[0].islower() and len(line) <= MAX_WRAP), default=0)
    opened: int | None = None
    for index, (start, line) in enumerate(lines):
        if not line:
            continue
        if opened is None:
            opened = start
        following = lines[index + 1][1] if index + 1 < len(lines) else ""
        if not following or not _runs_on(line, following, width):
            yield opened, start + len(line)
            opened = None


def _runs_on(line: str, following: str, width: int) -> bool:
    """Say whether a newline is only a space."""
    if following[0] in "•‣▪●":
        return False
    if width and len(line) <= MAX_WRAP and len(line) + 1 + len(following.split(None, 1)[0]) > width:
        return True
    if _ITEM.match(following):
        return False
    return (
        following[0].islower() or line[-1] == "," or (line[-1] == "." and _is_title(_last_word(line, 0, len(line) - 1)))
    )


def _whole(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Find the quotations and brackets that are kept whole, by their first characters."""
    spans: list[tuple[int, int]] = []
    opened: dict[str, int] = {}
    for pair in _PAIR.finditer(text, start, end):
        first, last = pair.span()
        mark = pair.group()
        before = text[first - 1] if first > start else " "
        after = text[last] if last < end else " "
        kind = pair.lastgroup or "bracket"
        if kind == "bracket":
            opens = mark in "(["
        elif kind == "single":
            opens = after.isupper()
            if after.isalnum() and not opens:  # "'em", "the ’90s"
                continue
        elif mark in ('"', "''"):
            if before.isspace() and after.isspace():
                continue  # astray: nobody can tell what it closes
            opens = (before.isspace() or before in "([—–-'‘") and not after.isspace()
        else:
            opens = mark in "«„" or (mark == "“" and text[opened.get(kind, first)] != "„")
        if opens:
            opened[kind] = first
        elif kind in opened:
            begin = opened.pop(kind)
            if last - begin <= MAX_WHOLE:
                spans.append((begin, last))
    return sorted(spans)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a block into sentences; before a bullet, white space is left at their end."""
    whole = _whole(text, start, end)
    n_seen = until = 0
    block = start
    for match in _END.finditer(text, start, end):
        while n_seen < len(whole) and whole[n_seen][0] < match.end():
            until = max(until, whole[n_seen][1])
            n_seen += 1
        if match.end() < until:
            continue
        if match["bullet"]:
            if match.start() > start:
                yield start, match.start()
            start = match.start()
        elif _ends(text, match, start, end, at_block=start == block):
            yield start, match.end()
            start = _skip_space(text, match.end(), end)
    if start < end:
        yield start, end


def _ends(text: str, match: re.Match[str], start: int, end: int, *, at_block: bool) -> bool:
    """Say whether the sentence that began at `start` ends with this match."""
    position = match.end()
    if position < end and not text[position].isspace():
        return False
    if match["rule"]:  # agencies part the story from its notes with "___"
        return True
    position = _skip_space(text, position, end)
    ahead = text[position : min(position + 60, end)]
    following = ahead.lstrip(_OPENING)
    if not following:
        return True
    if following[0] in _CONTINUING or _DASH.match(ahead):
        return False
    if following[0].islower() and not following[1:2].isupper():  # "iPhone sales" may start a sentence
        return False
    if match["mark"]:  # a quotation mark astray, with space on both sides, is a sentence of its own
        return match.start() == start
    if match["bracket"]:  # so is a bracket after a finished sentence; at a block's start it is a dateline: "(AP) …"
        return text[start] in "([" and not at_block
    quotes = match["close"].strip(")]* ")
    opens_quote = ahead[0] in "\"'“‘«„"
    if quotes:
        tagged = match["stop"] != "." and not opens_quote and _TAG.match(following) is not None
        return not tagged or _first_word(following) in _STARTERS
    if match["stop"] != ".":
        return match.start() > start  # "... And then" begins with its stops
    return _stop_ends(_last_word(text, start, match.start()), match.start() - start, ahead, following, opens_quote)


def _stop_ends(word: str, length: int, ahead: str, following: str, opens_quote: bool) -> bool:
    """Say whether a full stop after this word, `length` characters into its sentence, ends it."""
    if len(word) == length and (len(word) == 1 or (word.isdigit() and len(word) == 2)):  # "1. Write down", "A. Smith"
        return False
    name = word.lower().rpartition("-")[2]  # "R-Va."
    if name.endswith(("a.m", "p.m")):
        return opens_quote or _first_word(following) in _STARTERS or not _WHEN.match(following)
    if _is_title(word) or word in _NEVER:
        return False
    if name in _NUMBERED and following[0].isdigit():
        return False
    if name in _STATES and word[0].isupper() and ahead[0] in "(-":
        return False
    dotted = word[:1].isalpha() and all(len(part) <= 2 for part in name.split(".")) and "." in name
    if (len(word) == 1 and word.isalpha()) or dotted or name in _EITHER:
        return opens_quote or _first_word(following) in _STARTERS
    return True


def _skip_space(text: str, position: int, end: int) -> int:
    found = _SPACE.match(text, position, end)
    return found.end() if found else position


def _last_word(text: str, start: int, end: int) -> str:
    found = _WORD.search(text[max(start, end - 24) : end])
    return found.group().lstrip("'‘") if found else ""


def _first_word(text: str) -> str:
    found = _FIRST.match(text)
    return found.group().lower().replace("’", "'") if found else ""


def _is_title(word: str) -> bool:
    return word[:1].isupper() and word.lower() in _TITLES
