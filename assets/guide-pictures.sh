#!/usr/bin/env bash
# Cuts the pictures of the guide out of those in screenshots, in few colours, so that they stay small. It needs ImageMagick.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cut_out() { # NAME FROM PLACE
    convert "screenshots/$2.png" -crop "$3" +repage -alpha off -strip +dither -colors 64 -define png:compression-level=9 \
        -define png:exclude-chunks=date,time "PNG8:assets/guide/$1.png"
}

cut_out job running 832x200+344+36
cut_out ring who-waits 800x112+632+316
cut_out lanes lesson 892x96+284+250
cut_out report freeze-lab-report 612x155+320+120
ls -l assets/guide/*.png
