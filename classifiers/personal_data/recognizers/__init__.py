"""One recognizer a file; the list that runs them is in `classifiers.personal_data.find`.

A recognizer is a class with a `name`, a `wants` that tells cheaply whether a message can hold its kind, and a `find`
that gives matches. It keeps no state between messages.
"""
