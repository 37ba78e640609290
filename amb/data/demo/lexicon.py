"""The words of the demo: graded sentiment words, their modifiers, topics and neutral filler.

Sentiment words are mirrored: as many of grade −g as of grade +g. Filler holds no sentiment word,
no modifier and no joining word; a test keeps it so.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Adjectives by signed grade; they fit every topic below.
ADJECTIVES: dict[int, tuple[str, ...]] = {
    +1: _words(
        "decent nice pleasant solid likeable agreeable neat fine satisfying sweet smooth good"
    ),
    +2: _words(
        "charming enjoyable lovely impressive great delightful admirable appealing engaging "
        "clever beautiful memorable"
    ),
    +3: _words(
        "fantastic amazing brilliant superb outstanding excellent wonderful magnificent perfect "
        "stunning terrific spectacular"
    ),
    -1: _words("dull bland weak flat clumsy forgettable uneven awkward shallow stale dry messy"),
    -2: _words(
        "bad poor boring annoying disappointing unpleasant irritating ugly frustrating sloppy "
        "tedious lousy"
    ),
    -3: _words(
        "terrible awful horrible dreadful atrocious disgusting appalling abysmal pathetic "
        "horrendous hideous unbearable"
    ),
}

# Verbs by signed grade: past tense, and the base form that follows "did not".
VERBS: dict[int, tuple[tuple[str, str], ...]] = {
    +1: (("liked", "like"), ("appreciated", "appreciate"), ("welcomed", "welcome")),
    +2: (("enjoyed", "enjoy"), ("admired", "admire"), ("praised", "praise")),
    +3: (("loved", "love"), ("adored", "adore"), ("treasured", "treasure")),
    -1: (("disliked", "dislike"), ("minded", "mind"), ("questioned", "question")),
    -2: (("resented", "resent"), ("regretted", "regret"), ("criticized", "criticize")),
    -3: (("hated", "hate"), ("despised", "despise"), ("detested", "detest")),
}

# Words that modify an adjective and words that modify a verb.
INTENSIFIERS = {
    "adjective": ("really", "very", "extremely", "incredibly"),
    "verb": ("really", "truly", "absolutely"),
}
DOWNTONERS = {
    "adjective": ("somewhat", "slightly", "fairly"),
    "verb": ("somewhat", "slightly", "mildly"),
}

# What a video talks about, and the parts of it that are judged.
TOPICS: dict[str, tuple[str, ...]] = {
    "film": ("acting", "plot", "ending", "soundtrack", "dialogue", "lighting"),
    "phone": ("screen", "battery", "camera", "speaker", "keyboard", "display"),
    "hotel": ("room", "breakfast", "service", "lobby", "pool", "bathroom"),
    "restaurant": ("food", "menu", "dessert", "kitchen", "wine", "waiter"),
    "book": ("story", "cover", "opening", "chapter", "narrator", "translation"),
    "car": ("engine", "interior", "steering", "dashboard", "seat", "gearbox"),
    "game": ("combat", "tutorial", "music", "level", "controller", "map"),
    "concert": ("band", "singer", "stage", "sound", "encore", "drummer"),
}

ADJECTIVE_FRAMES = (
    "the {part} was",
    "i thought the {part} was",
    "to me the {part} was",
    "i have to say the {part} was",
)
# Joined clauses stay short, so that a sentence has 25 words at most.
JOINED_FRAMES = ADJECTIVE_FRAMES[:2]

OPENINGS = (
    "okay so",
    "um",
    "in this video",
    "talking about this {topic}",
    "so this {topic} came out last year",
    "my sister told me about the {topic}",
    "as i said before",
    "about the {topic} again",
)
CLOSINGS = (
    "if you ask me",
    "this time around",
    "you know what i mean",
    "from start to finish",
    "as you can see here",
    "for this {topic}",
)

FUNCTION_WORDS = frozenset(
    _words(
        "a about again as before did for from have i if in me my not so the this to um was what "
        "when you and but out can okay"
    )
)
