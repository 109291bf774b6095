"""Logging as the programs set it up: one line an event on stderr. Libraries of ours only ask for a logger."""

import logging

LIBRARIES = ("faust", "mode", "aiokafka", "uvicorn", "asyncio", "pipeline.transport")
"""The transport is built of Faust's services, which tell of each start and stop under our own module's name."""


def set_up_logging(process: str, *, verbose: bool = False) -> None:
    """Log our own events from INFO, the libraries' from WARNING.

    Args:
        process: Name of the process in every line (`worker`, `web`, ...).
        verbose: Libraries from INFO as well.
    """
    logging.basicConfig(format=f"%(asctime)s {process} %(levelname)s %(message)s", level=logging.INFO, force=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)
