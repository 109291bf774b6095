"""The teacher's page: which class groups are read, pause, lesson mode, opting out."""
