"""The way of a message, in the order in which it goes.

1. `intake`: where it enters; `groups` is the gate, `privacy` the pseudonyms and keys, `publisher` the way out.
2. `events`, `topics`, `codec`: what travels, where, and how it is sealed; `transport` is Redis as a broker.
3. `scoring`: where it is scored, with `context` before it; `delivery` are the rules by which nothing is lost.
4. `review`: where a flag goes.
5. `agents`, `services`, `app`, `supervisor`, `product`: the processes around it; `counters`, `metrics`, `retention`.
"""
