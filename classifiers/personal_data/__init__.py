"""Personal data in a message: found, explained, and cut out (clauses 5.1.c and 5.1.h.III).

In the order in which a message goes through: `text` prepares it, `recognizers/` look for one kind each (`numbers`
reads digits in every spelling, `streets` knows street names, `public` what is general), `joined` reads numbers sent
in pieces, `contextual` waits for the toxicity model, `match` settles overlaps, `find` does all of it and `redact`
puts tags in place of what was found. `words` reads the lists; `evaluation` measures it all on the corpus.
"""

from classifiers.personal_data.find import find
from classifiers.personal_data.public import PublicData, load_public
from classifiers.personal_data.redact import Redacted, redact

__all__ = ["PublicData", "Redacted", "find", "load_public", "redact"]
