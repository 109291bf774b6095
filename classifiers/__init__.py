"""Text in, findings and a decision out: `engine` judges, `protocol` decides; no ids, no web, no Redis here."""
