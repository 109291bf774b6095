"""`python -m pipeline` is the command `vangnet`, also where its script is not on the path."""

from pipeline.commands.main import main

main(prog_name="vangnet")
