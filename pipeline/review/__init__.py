"""Where a flag goes: from the scoring agent to a mentor's decision, and to figures for management.

In the order of a flag's life:

- `records`    what callers hold: cases, messages, outcomes, figures (frozen)
- `cases`      the rule, as data, by which flags join one case and a pile-on raises its severity
- `layout`     the names of the keys and the order of the queue
- `scripts`    every change as one atomic Lua script (`lua/`)
- `store`      `ReviewStore`: add, claim, decide, park, erase, expire
- `sealing`    what is sealed, under which key and bound to which place
- `reading`    stored bytes back to records
- `changes`    the queue's revision as a stream, for pages that update by themselves
- `audit`      who did what, when; append-only
- `retention`  what goes at its term
- `census`     what is in the store, for checks that figures add up
- `statistics` counts with small cells hidden
"""
