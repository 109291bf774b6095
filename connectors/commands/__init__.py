"""The connectors' commands, found by entry point."""
