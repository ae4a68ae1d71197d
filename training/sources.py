"""The sources of pictures: licence, folder, and the role of each source, camera make and generator family.

Two folders are read: the development data, and (where given) a folder of more public repositories' pictures, one
sub-folder each. Nothing of either is part of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["train", "calibrate", "test"]
ROLES: tuple[Role, ...] = ("train", "calibrate", "test")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of pictures of one class.

    Attributes:
        name: Short and stable.
        folder: Path below the data folder.
        label: 0 for photographs, 1 for generated pictures.
        licence: As its publisher states it.
        roles: One role for the whole source, or by group (:func:`group_of`); ``"*"`` covers the others.
        grid: Rows and columns of separate pictures in each file.
        extra: Whether the folder lies in the folder of more pictures.
        most: Most pictures that are used, chosen by a hash of their names; 0 for all.
    """

    name: str
    folder: str
    label: int
    licence: str
    roles: Mapping[str, Role]
    grid: int = 1
    extra: bool = False
    most: int = 0


_CAMERA_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("canon", "fujifilm", "kodak", "sony", "panasonic", "apple"), "train"),
    **dict.fromkeys(("nikon", "olympus", "sanyo", "casio", "minolta", "ricoh", "konica", "samsung"), "calibrate"),
    "*": "test",
}

SOURCES: tuple[Source, ...] = (
    Source("imagenet", "real/imagenet", 0, "ImageNet terms (research)", {"*": "train"}),
    Source("coco", "real/coco", 0, "Flickr, Creative Commons (COCO 2017 subset)", {"*": "calibrate"}),
    Source("camera", "real/camera", 0, "free to use (metadata-extractor-images)", _CAMERA_ROLES),
    Source("camera", "exif/camera", 0, "free to use (metadata-extractor-images)", _CAMERA_ROLES),
    Source("camera", "exif/samples", 0, "CC BY-SA 4.0 (ianare/exif-samples)", _CAMERA_ROLES),
    Source("wallpapers", "real/cc0", 0, "CC0 (budgie-backgrounds)", {"*": "test"}),
    Source("portraits", "faces", 0, "MIT / Apache-2.0 test images", {"third": "calibrate", "*": "test"}),
    Source("gpt-4o", "fake/gpt-4o", 1, "CC BY 4.0 (awesome-gpt4o-images)", {"*": "train"}),
    Source("sd-1.5", "fake/sd-1.5", 1, "MIT (StableDiffusion-CheatSheet)", {"*": "train"}, grid=2),
    Source(
        "mixed-models",
        "fake/mixed-models",
        1,
        "Apache-2.0 (sdnext previews)",
        {"flux": "test", "google": "test", "qwen": "calibrate", "hidream": "calibrate", "wan": "calibrate",
         "hunyuan": "calibrate", "kandinsky": "calibrate", "*": "train"},
    ),
    Source("comfyui", "fake/comfyui", 1, "permissive (ComfyUI_examples)", {"*": "test"}),
    Source("dalle-2", "fake/dalle-2", 1, "none stated: evaluation only (imagen)", {"*": "test"}),
    Source("midjourney-v4", "fake/midjourney-v4", 1, "none stated: evaluation only (imagen)", {"*": "test"}),
)  # fmt: skip

EXTRA: tuple[Source, ...] = (
    Source("imagenet", "imagenet-sample-images", 0, "ImageNet terms (research)", {"*": "train"}, extra=True),
    Source(
        "coco",
        "coco128_yolo/images",
        0,
        "Flickr, Creative Commons (COCO 2017 subset)",
        {"*": "calibrate"},
        extra=True,
        most=70,
    ),
    Source(
        "camera",
        "camera",
        0,
        "free to use, CC BY-SA, CC BY-NC-SA, BSD, MIT (public test files)",
        _CAMERA_ROLES,
        extra=True,
    ),
    Source("bsds", "BSDS500", 0, "research terms (BSDS500)", {"*": "calibrate"}, extra=True, most=110),
    Source("raccoon", "raccoon_dataset", 0, "MIT (raccoon_dataset)", {"*": "calibrate"}, extra=True, most=40),
    Source("wallpapers", "budgie-backgrounds", 0, "CC0 (budgie-backgrounds)", {"*": "test"}, extra=True),
    Source("lund", "OpenSfM/data/lund/images", 0, "BSD (OpenSfM)", {"*": "test"}, extra=True),
    Source("berlin", "OpenSfM/data/berlin/images", 0, "BSD (OpenSfM)", {"*": "test"}, extra=True),
    Source("immich", "immich-test-assets/albums", 0, "public domain (immich test-assets)", {"*": "test"}, extra=True),
)

ONE_PLACE = frozenset({"lund", "berlin"})
"""Sources whose photographs all show one place."""

ONE_SUBJECT = frozenset(
    ("CartridgeOCR", "ImageDataset_SceauxCastle", "dataset_monstree", "drone_dataset_brighton_beach", "gps", "livia",
     "mapillary_tools")
)  # fmt: skip
"""Repositories (in the names of camera files) and folders whose photographs show one place or object."""

GATE: tuple[Source, ...] = (
    Source("ml72-photographs", "ml72/public/images/real", 0, "MIT (ML72)", {"*": "test"}, extra=True),
    Source("ml72-generated", "ml72/public/images/ai", 1, "MIT (ML72)", {"*": "test"}, extra=True),
)
"""The release gate: photographs and generated pictures of the same kinds. Test only, never trained or tuned on."""


def trained_on(name: str) -> bool:
    """Whether any picture of the sources of this name is in the role *train*.

    A family can be held out while its publisher is not: previews by one publisher share prompts, sizes and ways of
    saving, whichever model painted them.
    """
    return any("train" in source.roles.values() for source in (*SOURCES, *EXTRA) if source.name == name)


FAMILIES: tuple[tuple[str, str], ...] = (
    ("flux", r"flux|chroma|shuttle|flex\.|srpo|kontext|krea|cenkrechro"),
    ("google", r"gemini"),
    ("qwen", r"qwen|unipic|firered|vibe"),
    ("hidream", r"hidream"),
    ("wan", r"wan2|chronoedit|cosmos"),
    ("hunyuan", r"hunyuan"),
    ("kandinsky", r"kandinsky"),
    ("pixart-sana", r"pixart|sana"),
    ("sdxl", r"sdxl|ssd-1b|vega|playground|juggernaut|koala|segmoe-4x2|tempest|stable-diffusion-xl"),
    ("sd3", r"stable-diffusion-3"),
    ("sd-1/2", r"stable-diffusion-2|v1-5|tiny-sd|segmoe-sd|instaflow|sdxs|blipdiffusion|unidiffuser"),
)
