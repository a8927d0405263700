"""``python -m bench.headline``: draw the picture anew from the recorded figures."""

import json

from bench import page
from bench.headline.picture import PICTURE, draw

if __name__ == "__main__":
    draw(json.loads((page.DATA / "headline.json").read_text())["data"])
    print(f"{PICTURE.relative_to(page.ROOT)} is drawn")
