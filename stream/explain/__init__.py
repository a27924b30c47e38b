"""Pictures that explain: what intersection over union is, how a sliding window finds objects (`mirilla explain`)."""
