"""The mentor's pages: the queue, one case, what could not be judged; `live` tells open pages that the queue changed."""
