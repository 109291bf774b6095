"""Logging as the programs set it up: one line an event on stderr. Libraries of ours only ask for a logger."""

import logging

LIBRARIES = ("faust", "mode", "aiokafka", "uvicorn", "asyncio", "pipeline.transport")
"""The transport is built of Faust's services, which tell of each start and stop under our own module's name."""


class OneLine(logging.Formatter):
    """An event on one line: of an exception its kind alone, since its text may quote what must not be logged."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with no stack trace."""
        message = record.getMessage()
        kind = record.exc_info[0] if record.exc_info else None
        plain = logging.makeLogRecord(
            {
                **record.__dict__,
                "msg": " ".join(message.split()) + (f" ({kind.__name__})" if kind is not None else ""),
                "args": None,
                "exc_info": None,
                "exc_text": None,
                "stack_info": None,
            }
        )
        return super().format(plain)


def set_up_logging(process: str, *, verbose: bool = False) -> None:
    """Log our own events from INFO, the libraries' from WARNING.

    Args:
        process: Name of the process in every line (`worker`, `web`, ...).
        verbose: Libraries from INFO as well, and stack traces of what went wrong.
    """
    form = f"%(asctime)s {process} %(levelname)s %(message)s"
    logging.basicConfig(format=form, level=logging.INFO, force=True)
    if not verbose:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(OneLine(form))
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
