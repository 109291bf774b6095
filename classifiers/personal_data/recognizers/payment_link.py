"""Payment requests: links that name a person's account and ask the group for money."""

import re
from collections.abc import Iterator

from classifiers.personal_data.match import Match
from classifiers.personal_data.public import PublicData
from classifiers.personal_data.text import PreparedText

_LINK = re.compile(
    r"(?<![\w.@/])(?:https?://)?(?:www\.)?(?:"
    r"tikkie\.me/(?:pay/)?[\w./?=&%-]{3,80}|paypal\.me/[\w./-]{2,60}|(?:www\.)?paypal\.com/paypalme/[\w./-]{2,60}|"
    r"betaalverzoek\.[a-z]{2,20}\.nl/[\w./?=&%-]{3,80}|ing\.nl/(?:particulier/)?(?:betaalverzoek|"
    r"payreq)[\w./?=&%-]{0,80}|"
    r"(?:www\.)?(?:abnamro|asnbank|snsbank|regiobank|knab|triodos)\.nl/[\w/-]{0,30}betaalverzoek[\w./?=&%-]{0,80}|"
    r"bunq\.me/[\w./-]{2,60}|revolut\.me/[\w./-]{2,60}|payconiq\.com/[\w./-]{2,60}|"
    r"monzo\.me/[\w./-]{2,60}|cash\.app/\$[\w./-]{2,40}|"
    r"gofundme\.com/f/[\w-]{3,60}|betaal\.me/[\w./-]{2,60}|wero\.eu/[\w./-]{2,60}|qr\.payconiq\.com/[\w./-]{2,60})",
    re.IGNORECASE,
)
_HOSTS = (
    "tikkie.",
    "paypal",
    "betaalverzoek",
    "bunq.",
    "revolut.",
    "payconiq",
    "payreq",
    "monzo.",
    "cash.app",
    "gofundme.",
    "betaal.me",
    "wero.",
)


class PaymentLinkRecognizer:
    """Finds payment-request links."""

    name = "payment_link"

    def wants(self, prepared: PreparedText) -> bool:
        """A slash and the name of a payment service."""
        return "/" in prepared.plain and any(host in prepared.folded for host in _HOSTS)

    def find(self, prepared: PreparedText, public: PublicData) -> Iterator[Match]:
        """Give every link; a full stop at its end is the sentence's."""
        for found in _LINK.finditer(prepared.plain):
            yield Match(
                found.start(),
                found.start() + len(found[0].rstrip(".,?")),
                "PAYMENT_LINK",
                0.97,
                "link of a payment service",
            )
