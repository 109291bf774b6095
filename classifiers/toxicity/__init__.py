"""The models, in the order in which they are used.

1. `ngram`: the fast first judge, hashed words and characters (`ngram_features`, `ngram_training`).
2. `encoder`: the transformer that reads a conversation. `conversation` lays messages into rows, `torch_encoder` and
   `torch_runtime` run them in PyTorch, `onnx_graph` and `onnx_runtime` without it; `checkpoint` guards the weights.
3. `base`, `training_data`, `augmentation`, `training`: where the encoder comes from.
4. `evaluation`, `thresholds.toml`: what the models are worth and where the cuts lie.
5. `explanation`: which words and which earlier message carried a finding.
6. `other_models`, `generic_training`: larger models of others, loaded by one setting or trained on the corpus.
"""
