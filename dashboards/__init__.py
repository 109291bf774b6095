"""The pages: what mentors, teachers and management see.

In the order a request meets them: `web` (the application), `sessions` and `access` (who is this, what may be seen),
`sign_in`, then the pages of each role: `review` (mentor), `groups` (teacher), `management`. `accounts` keeps the users,
`texts` every Dutch sentence, `metrics` what Prometheus reads, `commands` the command line.
"""
