"""The subcommands of `vangnet` that bring messages in: import, replay, and the demo around them."""
