"""The command `vangnet` itself and the subcommands that run, watch and measure the product."""
