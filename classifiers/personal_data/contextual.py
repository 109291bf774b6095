"""Words about another person's health, family, marks or absence.

Such words are everyday talk; only the toxicity model, which reads the whole conversation, can tell whether they give
somebody away. So nothing here is reported unless that model already says `persoonsgegevens`.
"""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.text import PreparedText
from classifiers.personal_data.words import WordPattern, load_words

_HEALTH = re.compile(
    r"(?<!\w)(?:(?:heeft|had|krijgt|slikt|is|zit|ligt|plast|drinkt|"
    r"moest|snijdt)\s)?(?:(?:nog|nu|al|steeds|weer|een|n|bij|in|de|"
    r"het|t|aan|soms|zichzelf|zo'n|naar|ernstige|lichte|ook)\s){0,3}"
    r"(?:adhd|add|autisme|autistisch|pdd-nos|pddnos|dyslexie|dyscalculie|"
    r"depressie\w{0,2}|depressief|anorexia|boulimia|eetproblemen|eetstoornis|"
    r"epilepsie|astma|diabetes|suikerziekte|suiker|kanker|"
    r"borstkanker|leukemie|hiv|soa|chlamydia|zwanger|miskraam|abortus|"
    r"pfeiffer|hersenschudding|luizen|schurft|eczeem|allergie|lactose|"
    r"coeliakie|hooikoorts|migraine|burn-?out|overspannen|"
    r"psycholoog|psychiater|therapeut|ggz|jeugd-ggz|kliniek|ziekenhuis|"
    r"opgenomen|geopereerd|operatie|antidepressiva|ritalin|concerta|"
    r"medikinet|medicijnen|pillen|pufje|epipen|insuline|"
    r"bedplassen|enuresis|bed|tics|tourette|ptss|borderline|psychose|"
    r"angststoornis|faalangst\w{0,9}|parkinson|alzheimer|dementie|hoortoestel|"
    r"rolstoel|sondevoeding|ongesteld|diarree|waterpokken|"
    r"bloedverdunners|metoprolol|overprikkeld|hart|aanval|zelfmoord\w{0,8}|suïcid\w{1,6}|snijdt|drinkt)(?!\w)"
)
_FAMILY = re.compile(
    r"(?<!\w)(?:(?:zijn|zn|z'n|haar|dr|d'r|de|hun|der)\s)?(?:(?:vader|"
    r"moeder|ouders|pa|ma|broer|zus|papa|mama|gezin|oma|opa|tante)\s)?(?:(?:van\s\w{2,15})"
    r"\s)?"
    r"(?:(?:gaan|gaat|zijn|is|zit|zitten|heeft|hebben|liggen|ligt|woont|"
    r"wonen|slaat|drinkt|komt|haalt)\s)?(?:(?:in|een|de|het|vast|uit|"
    r"bij|eten|n|van|t)\s){0,3}"
    r"(?:gescheiden|scheiding|scheiden|pleeggezin|pleegouders|jeugdzorg|"
    r"voogd|opvang|opgepakt|gevangenis|bak|bajes|schulden|failliet|"
    r"deurwaarder|voedselbank|bijstand|bijzondere bijstand|ontslagen|"
    r"alcoholist|verslaafd|rehab|overleden|begrafenis|familierechter|"
    r"rechter|ots|uithuisplaatsing|uit huis geplaatst|uitzetting|kindertehuis|"
    r"adoptie|geadopteerd|halfbroers?|asielzoekerscentrum|azc)(?!\w)"
)
_MARK = re.compile(
    r"(?<!\w)(?:(?:een|ne|n|net een|gem|gemiddeld|op)\s)?(?:(?:10|[1-9])(?:[,.]\d)"
    r"|(?:een|een dikke) (?:10|[1-9])(?= voor\b))(?: (?:gemiddeld|voor \w{2,14})"
    r")?(?![\w:,.]\d|\w|%|\s?(?:km|euro|kg|uur|m\b))"
    r"|(?<!\w)(?:blijft zitten|doubleert|(?:\w{2,6}|zes) onvoldoendes|"
    r"(?:mavo|havo|vwo|vmbo|kader|basis) advies|cito \d{3}|bespreekgeval)(?!\w)"
)
_SELF = re.compile(r"(?<!\w)(?:ik|mijn|mn|m'n|me)(?!\w)")
_OTHER = WordPattern("contextual", "other")


def contextual(prepared: PreparedText) -> Iterator[Match]:
    """Give the words about health, family and marks of somebody else than the author.

    Args:
        prepared: The message, of which the toxicity model says that it bears `persoonsgegevens`.

    Yields:
        Matches of the types HEALTH, FAMILY and MARKS.
    """
    names = load_words("first_names")
    other = prepared.mentions(_OTHER) or not names.isdisjoint(prepared.words)
    if not other and prepared.mentions(_SELF):
        return
    for pattern, kind in ((_HEALTH, "HEALTH"), (_FAMILY, "FAMILY"), (_MARK, "MARKS")):
        for found in pattern.finditer(prepared.folded):
            yield Match(*found.span(), kind, 0.6, "word list; the toxicity model says persoonsgegevens", "contextual")
