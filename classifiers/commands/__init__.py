"""The subcommands of `vangnet` that need the classifiers alone: score, evaluate, train, base."""
