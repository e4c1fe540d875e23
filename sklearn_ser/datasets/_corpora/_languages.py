"""English names of the languages of corpora."""

__all__ = ["language_groups"]

_NAMES = {
    "am": "Amharic",
    "ar": "Arabic",
    "bn": "Bangla",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "kk": "Kazakh",
    "ko": "Korean",
    "mul": "several languages",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "te": "Telugu",
    "th": "Thai",
    "tr": "Turkish",
    "und": "unknown language",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Mandarin",
}


def language_groups(corpora):
    """Group corpora by language, without regard to the region.

    Parameters
    ----------
    corpora : iterable of Corpus

    Returns
    -------
    groups : dict from str to list of Corpus
        Sorted by the English name of the language, or by its tag if the name is
        not listed here. A corpus in two languages is in two groups.
    """
    groups = {}
    for corpus in corpora:
        # A dict, because en-US and en-GB of one corpus are one language.
        for tag in dict.fromkeys(tag.partition("-")[0] for tag in corpus.language.split(", ")):
            groups.setdefault(_NAMES.get(tag, tag), []).append(corpus)
    return dict(sorted(groups.items()))
