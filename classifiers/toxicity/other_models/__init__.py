"""Other people's models behind the same seam, chosen by one setting (`VANGNET_MODEL`, `--model`).

1. `hub`: a hub id becomes a folder, from the local cache or by one download.
2. `label_map`: what the model's outputs mean in our labels, as data: one `*.toml` here for each public model
   known, or a `vangnet_labels.toml` in the model's own folder.
3. `text_pair`: a message and the conversation before it as the two texts that any transformer reads.
4. `model`: the loaded checkpoint.
"""
