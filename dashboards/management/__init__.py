"""Management's page: figures without names, small counts hidden."""
