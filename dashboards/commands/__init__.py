"""The web app's part of the command `vangnet`: `web` and `users`."""
