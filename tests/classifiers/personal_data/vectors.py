"""Structured values in many spellings and carriers, drawn with a fixed seed: a set that no recognizer was tuned on.

Every value is invented. Numbers of persons are drawn at random and made to pass their check digit by the library.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum import iban
from stdnum.be import nn
from stdnum.nl import bsn

from classifiers.findings import Span

_FIRST = ("Noor", "Sem", "Fatima", "Emre", "Lotte", "Jayden", "Zeynep", "Daan", "Roos", "Bilal", "Tess", "Kacper")
_DIGIT_WORDS = ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")


@dataclass(frozen=True)
class Vector:
    """A sentence with one value in it."""

    text: str
    span: Span


def _put(carrier: str, value: str, kind: str) -> Vector:
    start = carrier.index("{}")
    return Vector(carrier.replace("{}", value), Span(start, start + len(value), kind))


def _mobile_spellings(draw: random.Random) -> str:
    tail = "".join(draw.choices("0123456789", k=7))
    digits = "06" + draw.choice("123458") + tail
    d = digits
    look_alike = {"0": "o", "1": "l", "5": "S", "2": "Z"}
    spellings: list[Callable[[], str]] = [
        lambda: d,
        lambda: f"{d[:2]}-{d[2:]}",
        lambda: f"{d[:2]} {d[2:]}",
        lambda: f"{d[:2]} {d[2:4]} {d[4:6]} {d[6:8]} {d[8:]}",
        lambda: f"{d[:2]}.{d[2:4]}.{d[4:6]}.{d[6:8]}.{d[8:]}",
        lambda: f"{d[:4]} {d[4:7]} {d[7:]}",
        lambda: f"{d[:4]}-{d[4:6]}-{d[6:8]}-{d[8:]}",
        lambda: f"({d[:2]}) {d[2:6]} {d[6:]}",
        lambda: f"+31 6 {d[2:6]} {d[6:]}",
        lambda: f"+316{d[2:]}",
        lambda: f"+31 (0)6 {d[2:]}",
        lambda: f"00316{d[2:]}",
        lambda: f"0031 6 {d[2:4]} {d[4:6]} {d[6:8]} {d[8:]}",
        lambda: " ".join(d),
        lambda: f"{d[:2]}/{d[2:]}",
        lambda: f"{d[:2]}_{d[2:6]}_{d[6:]}",
        lambda: "o" + d[1:],
        lambda: d[:2] + " " + "".join(look_alike.get(one, one) for one in d[2:]),
        lambda: " ".join(_DIGIT_WORDS[int(one)] for one in d),
        lambda: "nul zes " + " ".join(_DIGIT_WORDS[int(one)] for one in d[2:]),
        lambda: "".join(f"{one}\ufe0f\u20e3" for one in d),
    ]
    return draw.choice(spellings)()


def _landline(draw: random.Random) -> str:
    area = draw.choice(("020", "010", "070", "030", "0252", "0318", "0495", "0512", "0113"))
    rest = "".join(draw.choices("123456789", k=10 - len(area)))
    return draw.choice((f"{area}-{rest}", f"{area} {rest[:3]} {rest[3:]}", f"{area}{rest}", f"+31 {area[1:]} {rest}"))


def _belgian_mobile(draw: random.Random) -> str:
    d = "04" + draw.choice(("70", "71", "85", "91", "95", "98")) + "".join(draw.choices("123456789", k=6))
    return draw.choice(
        (
            d,
            f"{d[:4]} {d[4:6]} {d[6:8]} {d[8:]}",
            f"{d[:4]}/{d[4:6]}.{d[6:8]}.{d[8:]}",
            f"+32 {d[1:4]} {d[4:6]} {d[6:8]} {d[8:]}",
            f"+32{d[1:]}",
        )
    )


def _email(draw: random.Random) -> str:
    first, last = draw.choice(_FIRST).lower(), draw.choice(("vis", "dejong", "kaya", "peeters", "smit", "bakker"))
    host, tld = draw.choice(
        (
            ("gmail", "com"),
            ("hotmail", "nl"),
            ("outlook", "com"),
            ("telenet", "be"),
            ("ziggo", "nl"),
            ("leerling.delta", "example"),
        )
    )
    local = draw.choice((f"{first}.{last}", f"{first}{draw.randint(7, 99)}", f"{first[0]}.{last}", f"{first}_{last}08"))
    plain = f"{local}@{host}.{tld}"
    if "." in host or "_" in local:
        return plain
    return draw.choice(
        (
            plain,
            plain.upper(),
            f"{local}@{host} . {tld}",
            f"{local}(at){host}.{tld}",
            f"{local}[at]{host}[punt]{tld}",
            f"{local} apestaartje {host} punt {tld}",
            f"{local.replace('.', ' punt ')} apestaart {host} punt {tld}",
            f"{local} @ {host}.{tld}",
        )
    )


def _bsn(draw: random.Random) -> str:
    while True:
        d = str(draw.randint(100_000_000, 399_999_999))
        if bsn.is_valid(d):
            return draw.choice(
                (d, f"{d[:3]} {d[3:6]} {d[6:]}", f"{d[:4]}.{d[4:6]}.{d[6:]}", f"{d[:3]}-{d[3:6]}-{d[6:]}", " ".join(d))
            )


def _register(draw: random.Random) -> str:
    while True:
        head = f"{draw.randint(8, 14):02d}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}{draw.randint(1, 500):03d}"
        d = head + f"{97 - int('2' + head) % 97:02d}"
        if nn.is_valid(d):
            return draw.choice(
                (f"{d[:2]}.{d[2:4]}.{d[4:6]}-{d[6:9]}.{d[9:]}", f"{d[:2]}.{d[2:4]}.{d[4:6]}-{d[6:9]}-{d[9:]}")
            )


def _iban(draw: random.Random) -> str:
    if draw.random() < 0.3:
        account = draw.randint(10**9, 10**10 - 1)
        body = f"{account:010d}{(account % 97) or 97:02d}"
        country = "BE"
    else:
        body = draw.choice(("INGB", "RABO", "ABNA", "BUNQ", "ASNB", "KNAB")) + f"{draw.randint(10**8, 10**9 - 1):010d}"
        country = "NL"
    value = country + iban.calc_check_digits(f"{country}00{body}") + body
    grouped = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
    return draw.choice(
        (
            value,
            grouped,
            value.lower(),
            grouped.replace(" ", "."),
            f"{value[:4]} {value[4:8]} {value[8:]}" if country == "NL" else grouped,
        )
    )


def _postcode(draw: random.Random) -> tuple[str, str]:
    letters = "".join(draw.choices("BDFGHJKLNPRTVXZ", k=2))
    code = f"{draw.randint(1000, 9999)}{draw.choice(('', ' '))}{letters}"
    return code, str(draw.randint(1, 240)) + draw.choice(("", "", "a", "B", "-2"))


def _birthday(draw: random.Random) -> str:
    day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(2007, 2013)
    names = (
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    )
    name = names[month - 1]
    return draw.choice(
        (
            f"{day}-{month}-{year}",
            f"{day:02d}-{month:02d}-{year}",
            f"{day}/{month}/{year}",
            f"{day}.{month}.{year}",
            f"{day} {name} {year}",
            f"{day} {name[:3] if name != 'maart' else 'mrt'} {year}",
            f"{day}-{month}-{year % 100:02d}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day} {name} '{year % 100:02d}",
        )
    )


def _plate(draw: random.Random) -> str:
    def letters(count: int) -> str:
        return "".join(draw.choices("BDFGHJKLNPRSTVXZ", k=count))

    def digits(count: int) -> str:
        return "".join(draw.choices("0123456789", k=count))

    shape = draw.choice(
        (
            "L-999-LL",
            "LL-999-L",
            "99-LLL-9",
            "9-LLL-99",
            "99-LL-LL",
            "LL-LL-99",
            "LL-99-LL",
            "99-LL-99",
            "LLL-99-L",
            "L-99-LLL",
            "9-LL-999",
            "999-LL-9",
            "9-LLL-999",
        )
    )
    return "-".join(letters(len(part)) if part[0] == "L" else digits(len(part)) for part in shape.split("-"))


_CARRIERS: dict[str, tuple[str, ...]] = {
    "PHONE": (
        "{}",
        "nieuw nummer: {}",
        "app me op {}",
        "{} is van mn moeder",
        "kun je haar bellen? {}",
        "ik geef je zn nr wel {} veel plezier",
        "bel {} als je er bent!!",
        "hoi ik ben {name}, {}",
        "wie is dit {} die blijft appen",
        "stuur t naar {} ok",
    ),
    "EMAIL": ("{}", "mail {} even", "mn adres is {}, niet die andere", "stuur het po naar {}", "zijn mail is {}"),
    "BSN": ("bsn {}", "mijn bsn is {}", "burgerservicenummer: {}", "wat moet ik met bsn {} doen", "{} is zn bsn"),
    "IBAN": ("{}", "maak over op {}", "{} tnv mn pa", "rekening is {} denk ik", "tikkie werkt niet, {}"),
    "DATE_OF_BIRTH": (
        "{name} is geboren op {}",
        "geboortedatum {name}: {}",
        "{name} {}",
        "mijn verjaardag is {}",
        "ik ben van {}",
        "{} is de geboortedatum van {name}",
        "geb. {}",
    ),
    "LICENCE_PLATE": (
        "{}",
        "zijn kenteken is {}",
        "die auto met {} reed door rood",
        "kijk uit voor de {}",
        "{} staat fout geparkeerd",
        "de scooter van {name} heeft {}",
    ),
}

_VALUES: dict[str, tuple[Callable[[random.Random], str], ...]] = {
    "PHONE": (_mobile_spellings, _mobile_spellings, _mobile_spellings, _landline, _belgian_mobile),
    "EMAIL": (_email,),
    "BSN": (_bsn, _bsn, _register),
    "IBAN": (_iban,),
    "DATE_OF_BIRTH": (_birthday,),
    "LICENCE_PLATE": (_plate,),
}


def vectors(seed: int, per_kind: int) -> Iterator[Vector]:
    """Draw sentences, each with one structured value.

    Args:
        seed: The same seed gives the same sentences.
        per_kind: Sentences for each of the seven kinds.

    Yields:
        Sentences with the place of their value.
    """
    draw = random.Random(seed)  # noqa: S311 - sentences for a test, no secret
    for kind, carriers in _CARRIERS.items():
        for _ in range(per_kind):
            carrier = draw.choice(carriers).replace("{name}", draw.choice(_FIRST))
            yield _put(carrier, draw.choice(_VALUES[kind])(draw), kind)
    for _ in range(per_kind):
        code, house = _postcode(draw)
        carrier = draw.choice(
            (
                "{} {house}",
                "postcode {} nummer {house}",
                "Esdoornlaan {house}, {}",
                "ik woon op {} {house}",
                "Vlierstraat {house} {} Zwolle",
            )
        )
        yield _put(carrier.replace("{house}", house), code, "POSTCODE")
