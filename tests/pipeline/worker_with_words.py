"""A worker as `vangnet worker` runs it, with the stand-in scorer of the tests. Run as a program by test_agents.py."""

import faust

from pipeline.app import build_app
from pipeline.log import set_up_logging
from pipeline.services import open_services
from pipeline.settings import load_settings
from tests.pipeline.scorers import WordScorer

if __name__ == "__main__":
    set_up_logging("worker")
    app = build_app(open_services(load_settings(), WordScorer()))
    faust.Worker(
        app, loglevel="WARN", override_logging=False, redirect_stdouts=False, quiet=True
    ).execute_from_commandline()
