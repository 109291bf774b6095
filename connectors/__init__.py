"""Where messages come in: each folder knows one platform and nothing of the others; `registry.py` lists them.

Each makes `IncomingMessage` records with the platform's own ids and hands them to the pipeline's intake. Nothing here
decides which groups are read: the intake's gate does.
"""
