"""Words and codes that name exactly one emotion of the vocabulary."""

import unicodedata

__all__ = ["ALIASES", "KNOWN_WORDS", "without_accents"]

# Ambiguous words are left to the user's `mapping`: "upset"; Spanish "disgusto" (annoyance), which
# is Italian for disgust; French "ennuyé" (bored or annoyed); German "Glück" (happiness or luck)
# and "Ruhe" (calm or silence).
# Codes mean what they mean in IEMOCAP and CREMA-D as this package loads them by name: excitement
# counts as happiness, frustration as other.
KNOWN_WORDS = {
    "anger": {
        "codes": "ang",
        "English": "angry",
        "German": "wut wütend wuetend zorn zornig ärger aerger",
        "French": "colère",
        "Spanish": "ira rabia enfado enfadado enfadada enojo enojado enojada",
        "Italian": "rabbia arrabbiato arrabbiata collera",
    },
    "boredom": {
        "codes": "bor",
        "English": "bored",
        "German": "langeweile gelangweilt",
        "French": "ennui",
        "Spanish": "aburrimiento aburrido aburrida",
        "Italian": "noia annoiato annoiata",
    },
    "calm": {
        "codes": "cal",
        "English": "calmness",
        "German": "ruhig",
        "French": "calme",
        "Spanish": "calma tranquilo tranquila",
        "Italian": "calma calmo tranquillo tranquilla",
    },
    "disgust": {
        "codes": "dis",
        "English": "disgusted",
        "German": "ekel angeekelt",
        "French": "dégoût dégoûté dégoûtée",
        "Spanish": "asco repugnancia",
        "Italian": "disgustato disgustata",
    },
    "fear": {
        "codes": "fea",
        "English": "afraid anxiety anxious fearful scared",
        "German": "angst ängstlich aengstlich furcht",
        "French": "peur effrayé effrayée",
        "Spanish": "miedo temor asustado asustada",
        "Italian": "paura spaventato spaventata",
    },
    "happiness": {
        "codes": "hap exc",
        "English": "happy joy joyful",
        "German": "freude fröhlich froehlich glücklich gluecklich",
        "French": "joie joyeux joyeuse heureux heureuse",
        "Spanish": "alegría alegre felicidad feliz",
        "Italian": "gioia allegria felicità felice",
    },
    "neutral": {
        "codes": "neu",
        "English": "neutrality",
        "German": "neutralität neutralitaet",
        "French": "neutre",
        "Spanish": "neutro neutra",
        "Italian": "neutro neutra neutrale",
    },
    "other": {"codes": "fru oth"},
    "sadness": {
        "codes": "sad",
        "German": "trauer traurig traurigkeit",
        "French": "tristesse triste",
        "Spanish": "tristeza triste",
        "Italian": "tristezza triste",
    },
    "surprise": {
        "codes": "sur",
        "English": "surprised",
        "German": "überraschung ueberraschung überrascht ueberrascht",
        "French": "surpris",
        "Spanish": "sorpresa sorprendido sorprendida",
        "Italian": "sorpresa sorpreso",
    },
}


def without_accents(word):
    """Return a folded word without accents, as many keyboards write it.

    Examples
    --------
    >>> without_accents("colère"), without_accents("ärger")
    ('colere', 'arger')
    """
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(filter(_is_no_accent, decomposed)))


def _is_no_accent(letter):
    return not unicodedata.combining(letter)


#: The emotion that each word names, without accents.
ALIASES = {
    without_accents(word): emotion
    for emotion, languages in KNOWN_WORDS.items()
    for words in languages.values()
    for word in words.split()
}
