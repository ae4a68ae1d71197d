"""The terms of the glossary, as data."""

from __future__ import annotations

from typing import NamedTuple

from nsfwforensics.core.messages import say


class Term(NamedTuple):
    """One entry of the glossary.

    Attributes:
        key: Short and stable; part of its id in the page.
        name: The term, as the glossary lists it.
        meaning: What it means, in a sentence or two.
        words: Other words that stand for it in reports.
    """

    key: str
    name: str
    meaning: str
    words: tuple[str, ...] = ()


TERMS: tuple[Term, ...] = (
    Term(
        "alpha",
        say("alpha channel"),
        say("The part of a picture file that says how transparent each point is. Data can be hidden in it."),
    ),
    Term(
        "calibrated",
        say("estimated probability"),
        say(
            "A probability that was checked against pictures whose answer is known, so that of all cases given 80 %, "
            "about 80 % are right. A score that was not checked in this way is never shown as a probability."
        ),
    ),
    Term(
        "coefficients",
        say("DCT coefficients"),
        say("The numbers in which a JPEG stores small squares of a picture. Saving again leaves steps in them."),
        (say("coefficients"),),
    ),
    Term(
        "confidence",
        say("95 % confidence"),
        say(
            "A rate that was counted in a test is only an estimate. The bound beside it is so high that the true rate "
            "lies below it in 95 of 100 such tests."
        ),
    ),
    Term(
        "credentials",
        say("Content Credentials"),
        say(
            "A signed record inside a file that says which camera or program made it and what was done to it (C2PA "
            "standard). The signature shows whether record and picture still belong together, not whether the record "
            "is true."
        ),
        (say("C2PA"),),
    ),
    Term(
        "exif",
        say("EXIF"),
        say("Data that cameras write into a file: model, time, settings, sometimes the place. Anyone can change it."),
    ),
    Term(
        "face-swap",
        say("face swap"),
        say("A picture in which the face of one person was replaced by the face of another, usually by a program."),
        (say("face-swapped"), say("face-swap software")),
    ),
    Term(
        "fingerprint",
        say("plan fingerprint"),
        say("A digest of everything that decides what a run can find: checks, versions, settings, models and limits."),
    ),
    Term(
        "fmr",
        say("false match rate"),
        say("How often two pictures of different people were taken for the same person in a test."),
        (say("false match"), say("false matches")),
    ),
    Term(
        "fnmr",
        say("false non-match rate"),
        say("How often two pictures of the same person were taken for different people in a test."),
    ),
    Term(
        "generator",
        say("AI generator"),
        say("A program that makes pictures with a trained model, usually from a description in words."),
        (say("image generator"), say("image generators"), say("AI generators")),
    ),
    Term(
        "grid",
        say("JPEG grid"),
        say("The pattern of squares, eight by eight points, that saving as JPEG lays over a picture."),
    ),
    Term(
        "hamming",
        say("Hamming distance"),
        say(
            "The number of places in which two hashes differ. Hashes of copies differ in few places, hashes of "
            "unrelated pictures in about half of them."
        ),
        (say("bits apart"),),
    ),
    Term(
        "hash",
        say("hash"),
        say(
            "A short number computed from a file. The same file always gives the same one, so it can be recognised "
            "without being shown or sent. Also called a digest."
        ),
        (say("hashes"), say("digest"), say("digests"), "SHA-256", "MD5", "SHA-1"),
    ),
    Term(
        "inconclusive",
        say("inconclusive"),
        say("The check gave no usable answer in either direction. It is not a mild yes and not a mild no."),
    ),
    Term(
        "iptc",
        say("IPTC"),
        say("A standard for captions, names and rights in picture files, used by news agencies. Anyone can change it."),
    ),
    Term(
        "features",
        say("local features"),
        say("Small details of a picture, described so that they are found again in a crop or a screenshot."),
        (say("local feature"),),
    ),
    Term(
        "lr",
        say("likelihood ratio"),
        say(
            "How many times more probable what was measured is under one explanation than under the other. About 1 "
            "says nothing; above 1,000 is strong. It is not the probability that the explanation is true."
        ),
    ),
    Term(
        "metadata",
        say("metadata"),
        say("What a file says about itself besides the picture: device, times, programs, places, names."),
    ),
    Term(
        "model",
        say("trained model"),
        say(
            "A program part that learned from many example pictures. It is at its best on pictures like those examples."
        ),
        (say("classifier"),),
    ),
    Term(
        "pdq",
        say("PDQ"),
        say("A perceptual hash of 256 bits that many platforms use. Copies are usually at most 31 bits apart."),
    ),
    Term(
        "perceptual",
        say("perceptual hash"),
        say("A hash of what a picture looks like. It stays nearly the same when the picture is saved again."),
        (say("perceptual hashes"),),
    ),
    Term(
        "priority",
        say("priority"),
        say("The order in which a person should look at the files. It is an order of work, not a verdict."),
    ),
    Term(
        "quantisation",
        say("quantisation table"),
        say("The list of roundings with which a JPEG was compressed. Cameras and programs have tables of their own."),
        (say("quantisation tables"), say("compression tables"), say("compression table")),
    ),
    Term(
        "reference",
        say("reference photo"),
        say("A photo of the person looked for, given by whoever started the examination."),
        (say("reference photos"),),
    ),
    Term(
        "score",
        say("score"),
        say("A raw number that a check gives. It has a meaning only beside scores of pictures whose answer is known."),
        (say("scores"),),
    ),
    Term(
        "threshold",
        say("threshold"),
        say("The value from which on a check speaks of a sign. It was set in tests, with the error rates beside it."),
        (say("thresholds"),),
    ),
    Term(
        "thumbnail",
        say("thumbnail"),
        say("A small copy of the picture that many files hold inside them. Programs sometimes forget to renew it."),
        (say("thumbnails"),),
    ),
    Term(
        "watermark",
        say("invisible watermark"),
        say("A mark in the pixels that is not seen but can be read by a program. Some image generators leave one."),
        (say("invisible watermarks"),),
    ),
    Term(
        "xmp",
        say("XMP"),
        say("A block of text in a file in which programs note what was done to it. Anyone can change it."),
    ),
)
