#!/usr/bin/env python3
"""Prints for each file of a folder whether Pillow reads all of it: its path, a tab, and

    FORMAT WIDTHxHEIGHT    after it was turned as it says
    error TEXT             if not
"""

import os
import resource
import sys
import warnings

from PIL import Image, ImageOps

warnings.simplefilter("ignore")
# Some of the files were made to fill the memory.
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
folder = sys.argv[1]
for where, _, names in sorted(os.walk(folder)):
    for name in sorted(names):
        path = os.path.join(where, name)
        try:
            with Image.open(path) as image:
                kind = image.format
                for frame in range(getattr(image, "n_frames", 1)):
                    if frame > 0:
                        image.seek(frame)
                    image.load()
            with Image.open(path) as image:
                width, height = ImageOps.exif_transpose(image).size
            verdict = f"{kind} {width}x{height}"
        except Exception as error:
            text = " ".join(str(error).split())
            verdict = f"error {type(error).__name__}: {text}"
        print(os.path.relpath(path, folder), verdict, sep="\t")
