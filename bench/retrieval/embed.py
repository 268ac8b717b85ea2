# Vectors of 256 dimensions for texts, by the small static model that the package wordllama carries with it. Reads a JSON
# list of texts, writes the vectors as 32-bit floats.
import importlib.util
import json
import os
import sys
import tempfile

from wordllama import WordLlama

package = importlib.util.find_spec("wordllama").submodule_search_locations[0]
with tempfile.TemporaryDirectory() as folder:
    # It looks for its own files in a cache, and would download them.
    for part in ("weights", "tokenizers"):
        os.symlink(os.path.join(package, part), os.path.join(folder, part))
    model = WordLlama.load(cache_dir=folder, disable_download=True)
vectors = model.embed(json.load(sys.stdin), norm=True)
sys.stdout.buffer.write(vectors.astype("<f4").tobytes())
