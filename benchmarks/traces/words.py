"""The prose of ``docs/traces.md``: what does not come out of a measurement."""

from __future__ import annotations

INTRODUCTION = """# Traces of editing: what each method sees, and how far it can be trusted

Written by `python -m benchmarks.traces`. The analyzer `traces` looks inside one file for what editing leaves behind. No
method sees every edit, and most traces do not survive a messenger: **a picture in which nothing is found is not
thereby unedited**, and a place that is pointed at is a reason to look closer, not a verdict. Where the original
photograph is at hand, `compare` says far more than any method here.

A method makes findings only if it pointed at something in at most 1 % of untouched camera photographs and at most 3 %
of photographs that were merely re-saved, and if it finds enough to be worth it; otherwise it draws maps (`--maps`) for
people who know how to read them.
"""

SEES = {
    "jpeg-grid": "an area whose 8×8 JPEG blocks do not line up with the rest, or that never was a JPEG",
    "double-quantisation": "an area that was compressed once in a picture that was compressed twice",
    "copy-move": "a part of the picture that appears twice in it, also turned or scaled",
    "resampling": "an area that was scaled or turned to fit in",
    "jpeg-ghosts": "areas that were once saved at another JPEG quality",
    "noise": "areas with more or less noise than brightness and texture explain",
}

ELA = (
    "error level analysis: how much each place changes when saved once more",
    "Krawetz, Black Hat USA 2007",
    "Experts, as a picture to look at; it is what most people try first.",
    "Everything: edges, texture and colour stand out in every picture, saving again evens out the rest.",
)

HOW = """## How it was measured

How many pictures each method has judged stands in the tables; the following is the collection that they come from.

**Untouched**: {photos} JPEG photographs of {cameras} camera models, byte for byte as the camera wrote them (no trace
of an editor in EXIF, XMP or markers, dimensions and dates agree), at most 12 per model. **Re-saved**: the same
photographs as messengers pass them on (longest side 1600 pixels at quality 80; 1280 at 75; and twice: 1600 at 80,
then 1080 at 72; 4:2:0), and the unedited hosts below in every saving but PNG. An alarm is a picture with any finding.
"At most" is the upper bound of the rate at 95 % confidence (one-sided Clopper–Pearson: with no alarm in n pictures
about 3/n); photographs by one camera or of one scene are not wholly independent, so it is an approximation.

**Manipulated**: {hosts} hosts, half of them cuts of 1504×1120 pixels out of a camera's original (their JPEG grid kept
in phase), half whole pictures reduced to 1600 pixels and saved at a quality of 75–90, as found on the web. Each was
manipulated in six ways, drawn by a seed: a region of another photograph pasted with a hard or a soft edge (the donor
half of the time with a JPEG life of its own), a region moved within the picture, or moved, turned by 5–40° and scaled
by 0.7–1.4, a region of 3–10 % painted over (`cv2.inpaint`, Telea or Navier–Stokes), and a region passed through the
autoencoder of an image generator (TAEF2) with a soft edge. Other regions cover 3–40 % of the picture (moved ones 3–15
% before scaling). Each is saved as PNG, as JPEG 4:2:0 at one of the qualities 95, 90, 80, 70 (a quarter of the hosts
each), sent once (1280) and sent twice.

**AUC**: chance that a manipulated picture gets a higher score than an unedited host saved alike, mean over savings;
0.5 is chance. A picture that a method cannot judge scores 0. **F1** of the marked against the changed pixels, 0 where
nothing was marked; for moved regions the copy alone or with its source, whichever suits better. **At the right
place**: IoU of at least 0.1. **Map AUC**: chance that a changed cell lies farther from the map's median than an
unchanged one, mean over pictures.
"""

LIMITS = """## Limits of these figures

The manipulations are made by a program: nobody matched colours, light or noise by hand, and no generator painted new
content with knowledge of the rest. The photographs are what cameras of about twenty years wrote, most of them compact
cameras, and telephones of the last ten years are few. Screenshots, collages, memes, scans and pictures with text are
not among the unedited ones and do lead to findings, which is why every finding says so.

The figures of `copy-move` and `jpeg-grid` are those of looking at all of a picture. A scan glances at larger ones first
(`copy-move` from 0.4 megapixels on, `jpeg-grid` from 0.8 where no maps are kept), and looks at all of a picture only
where the glance sees something. A glance adds no alarm; it can lose what is there:

- `copy-move` glances with quick keypoints in at most 0.8 megapixels. Of 85 manipulated pictures (18 hosts, made as
  above) in which a copy is found without a glance, 84 pass; in the other one a fifth of the copy had been marked. Every
  other one of them was reduced to 0.5 and to 0.7 megapixels too: all 83 in which the copy is found then pass. The
  glance's numbers were chosen by these same pictures, which makes that a little too good.
- `jpeg-grid` lets one row of pixels in 24 vote, then every pixel around what those see. Of 138 pictures in which an
  area is found by all pixels (the same hosts: copies as above, PNG and JPEG 95, and pasted squares of 48 to 192
  pixels), all pass: 63 of the 9 hosts by which the step was chosen, and 75 of the other 9. Where the glance is enough,
  the share of votes in a report (`rate`) is that of a third of the rows of blocks (`analysed_share`). A grid of the
  whole picture that does not begin at the corner has to get 1.4 times the votes of the next such grid there (twice as
  many of all pixels): of 72 pictures (photographs saved at 60 to 90, cut, and saved at 80 to 98 or as PNG) 43 have one
  by all pixels, and all pass, the least of them with 2.9 times the votes.
"""

PEERS = {
    "peer-zero": "ZERO, the authors' C code (IPOL 2021)",
    "peer-adq1": "pyIFD 0.0.3, ADQ1 (Lin et al. 2009), map",
    "peer-nadq": "pyIFD 0.0.3, NADQ (Bianchi & Piva 2012), map",
    "peer-blk": "pyIFD 0.0.3, BLK (Li et al. 2009), map",
}

PEERS_HOW = """\
Splices, copy-moves and removals and their clean hosts, as PNG and as JPEG 95 or 90, judged by everybody. pyIFD gives
maps without a threshold, so only its AUCs can be compared.
"""

PUBLISHED = """\
Published figures, F1 on collections of pictures that people tampered with by hand, gathered by the COM-PRESS project
(IDLab, Ghent University) from the papers on Comprint, TruFor and its own fusion. They are on other pictures than
ours, all of them tampered, and part of them was reached with the threshold that suits each picture best, which nobody
knows for a picture of unknown history:

| method | VIPP | DSO-1 | Columbia | CASIA | Coverage |
| --- | --- | --- | --- | --- | --- |
| ADQ1 (double quantisation, 2009) | 0.50 | 0.42 | 0.40 | 0.49 | 0.21 |
| ADQ2 (double quantisation, 2011) | 0.57 | 0.53 | – | – | – |
| BLK (JPEG grid, 2008) | 0.43 | 0.46 | – | – | 0.24 |
| CAGI (JPEG grid, 2018) | 0.44 | 0.51 | – | – | 0.30 |
| CAT-Net (neural network, 2021) | 0.72 | 0.68 | 0.92 | 0.85 | 0.57 |
| TruFor (neural network, 2023) | 0.75 | 0.97 | 0.91 | 0.82 | 0.74 |

Trained networks find far more than the methods here. TruFor's licence allows nonprofit use only, and neither network
bounds its false alarms.
"""
