"""The steps by which a photo becomes another picture: geometry, frames, colour and recompression, with their truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class Draft:
    """A picture on its way from the original to the suspect.

    Attributes:
        rgb: uint8 (height, width, 3).
        photo: uint8 (height, width), 255 where the photo is seen.
        edited: uint8 (height, width), 255 where content was changed.
        matrix: float64 (3, 3), pixels of ``rgb`` → original pixels, pixel centres at whole numbers.
        steps: What was done, in words.
    """

    rgb: NDArray[np.uint8]
    photo: NDArray[np.uint8]
    edited: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    steps: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rgb: NDArray[np.uint8]) -> Draft:
        """The original itself."""
        shape = rgb.shape[:2]
        return cls(rgb.copy(), np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8), np.eye(3))

    def place(self, canvas: NDArray[np.uint8], left: int, top: int) -> None:
        """Puts the picture on a canvas; what falls outside is lost."""
        photo, edited = np.zeros(canvas.shape[:2], np.uint8), np.zeros(canvas.shape[:2], np.uint8)
        height, width = self.rgb.shape[:2]
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(canvas.shape[0], top + height), min(canvas.shape[1], left + width)
        there = (slice(y0, y1), slice(x0, x1))
        here = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        canvas[there] = self.rgb[here]
        photo[there], edited[there] = self.photo[here], self.edited[here]
        self.rgb, self.photo, self.edited = canvas, photo, edited
        self._moved(np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], float))

    def resize(self, scale_x: float, scale_y: float | None = None) -> None:
        """Scales the picture."""
        height, width = self.rgb.shape[:2]
        size = (max(8, round(width * scale_x)), max(8, round(height * (scale_y or scale_x))))
        sx, sy = size[0] / width, size[1] / height
        method = cv2.INTER_AREA if min(sx, sy) < 1 else cv2.INTER_CUBIC
        self.rgb = np.asarray(cv2.resize(self.rgb, size, interpolation=method), np.uint8)
        self.photo = np.asarray(cv2.resize(self.photo, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        self.edited = np.asarray(cv2.resize(self.edited, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        self._moved(np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1]]))

    def cut(self, left: int, top: int, width: int, height: int) -> None:
        """Keeps a rectangle."""
        there = (slice(top, top + height), slice(left, left + width))
        self.rgb, self.photo, self.edited = self.rgb[there].copy(), self.photo[there].copy(), self.edited[there].copy()
        self._moved(np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], float))

    def warp(self, forward: NDArray[np.float64], width: int, height: int, fill: tuple[int, int, int]) -> None:
        """Moves the picture by an affine map (pixels before → pixels after)."""
        size, step = (width, height), forward[:2]
        self.rgb = np.asarray(cv2.warpAffine(self.rgb, step, size, flags=cv2.INTER_CUBIC, borderValue=fill), np.uint8)
        self.photo = np.asarray(cv2.warpAffine(self.photo, step, size, flags=cv2.INTER_NEAREST), np.uint8)
        self.edited = np.asarray(cv2.warpAffine(self.edited, step, size, flags=cv2.INTER_NEAREST), np.uint8)
        self._moved(forward)

    def flip(self) -> None:
        """Mirrors left and right."""
        self.rgb, self.photo, self.edited = (
            np.ascontiguousarray(part[:, ::-1]) for part in (self.rgb, self.photo, self.edited)
        )
        self._moved(np.array([[-1, 0, self.rgb.shape[1] - 1], [0, 1, 0], [0, 0, 1]], float))

    def turn(self, quarters: int) -> None:
        """Turns by quarters, counter-clockwise."""
        for _ in range(quarters % 4):
            width = self.rgb.shape[1]
            self.rgb, self.photo, self.edited = (
                np.ascontiguousarray(np.rot90(part)) for part in (self.rgb, self.photo, self.edited)
            )
            self._moved(np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], float))

    def _moved(self, forward: NDArray[np.float64]) -> None:
        self.matrix = self.matrix @ np.linalg.inv(forward)


def apply(draft: Draft, step: str, rng: np.random.Generator) -> None:
    """Takes one step of :data:`STEPS`, its parameters drawn."""
    draft.steps.append(STEPS[step](draft, rng))


def recompress(draft: Draft, way: str | None, rng: np.random.Generator) -> bytes:
    """Encodes the picture as JPEG (quality 30–90), WebP or, where no way is asked for, sometimes PNG."""
    way = way or str(rng.choice(["jpeg", "jpeg", "jpeg", "webp", "png"]))
    quality = int(rng.integers(30, 91))
    options = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        "png": [],
    }[way]
    _, data = cv2.imencode({"jpeg": ".jpg"}.get(way, f".{way}"), cv2.cvtColor(draft.rgb, cv2.COLOR_RGB2BGR), options)
    draft.steps.append("png" if way == "png" else f"{way} {quality}")
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    draft.rgb = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
    return bytes(data.tobytes())


def _crop(draft: Draft, rng: np.random.Generator) -> str:
    height, width = draft.rgb.shape[:2]
    kept = float(rng.uniform(0.5, 0.95))
    across = float(rng.uniform(kept**0.75, kept**0.25))
    w, h = round(width * across), round(height * kept / across)
    draft.cut(int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h)
    return f"crop to {kept:.0%}"


def _scale(draft: Draft, rng: np.random.Generator) -> str:
    scale = float(np.exp(rng.uniform(math.log(0.25), math.log(1.5))))
    draft.resize(scale)
    return f"scale {scale:.2f}"


def _rotate(draft: Draft, rng: np.random.Generator) -> str:
    degrees = float(rng.uniform(3, 30) * rng.choice([-1, 1]))
    height, width = draft.rgb.shape[:2]
    forward = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0), [0, 0, 1]])
    if rng.random() < 0.5:
        draft.warp(forward, width, height, (0, 0, 0))
        return f"rotation {degrees:+.0f}°, corners cut"
    cos, sin = abs(forward[0, 0]), abs(forward[0, 1])
    w, h = round(width * cos + height * sin), round(width * sin + height * cos)
    forward[0, 2] += (w - width) / 2
    forward[1, 2] += (h - height) / 2
    draft.warp(forward, w, h, (255, 255, 255))
    return f"rotation {degrees:+.0f}°, canvas grown"


def _turn(draft: Draft, rng: np.random.Generator) -> str:
    quarters = int(rng.integers(1, 4))
    draft.turn(quarters)
    return f"turned by {90 * quarters}°"


def _mirror(draft: Draft, _: np.random.Generator) -> str:
    draft.flip()
    return "mirrored"


def _border(draft: Draft, rng: np.random.Generator) -> str:
    height, width = draft.rgb.shape[:2]
    left, right, top, bottom = (round(float(rng.uniform(0.02, 0.25)) * max(height, width)) for _ in range(4))
    canvas = np.full((height + top + bottom, width + left + right, 3), rng.integers(0, 256, 3), np.uint8)
    if rng.random() < 0.5:
        cv2.putText(canvas, "when you see it", (20, max(24, top - 8)), cv2.FONT_HERSHEY_DUPLEX, 1, (250, 250, 250), 2)
    draft.place(canvas, left, top)
    return "border"


def _screenshot(draft: Draft, rng: np.random.Generator) -> str:
    width = int(rng.choice([540, 720, 1080]))
    height = round(width * float(rng.choice([16 / 9, 19.5 / 9, 20 / 9])))
    dark = bool(rng.random() < 0.5)
    canvas = np.full((height, width, 3), 18 if dark else 245, np.uint8)
    zoom = float(rng.choice([1.0, 1.0, 0.92]))
    scale = min(width * zoom / draft.rgb.shape[1], height * 0.8 / draft.rgb.shape[0])
    draft.resize(scale)
    top = int((height - draft.rgb.shape[0]) * rng.uniform(0.3, 0.6))
    _chrome(canvas, width / 1080, (235, 235, 235) if dark else (30, 30, 30), rng)
    draft.place(canvas, (width - draft.rgb.shape[1]) // 2, top)
    return f"screenshot {width}×{height}"


def _chrome(canvas: NDArray[np.uint8], unit: float, ink: tuple[int, int, int], rng: np.random.Generator) -> None:
    """What a phone draws around a picture: clock, battery, a name, buttons, a line of text."""
    height, width = canvas.shape[:2]

    def write(text: str, x: float, y: float, size: float) -> None:
        thick = max(1, round(2 * unit))
        where = (round(x), round(y))
        cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, size * unit, ink, thick, cv2.LINE_AA)

    write(f"{int(rng.integers(24)):02d}:{int(rng.integers(60)):02d}", 50 * unit, 70 * unit, 1.4)
    write("4G 87%", width - 260 * unit, 70 * unit, 1.3)
    write("someone_on_the_net", 160 * unit, 180 * unit, 1.5)
    cv2.circle(canvas, (round(90 * unit), round(165 * unit)), round(45 * unit), ink, -1)
    write("liked by many others ... see all comments", 40 * unit, height - 210 * unit, 1.2)
    for index in range(5):
        x, y = round(width * (index + 0.5) / 5), round(height - 90 * unit)
        cv2.rectangle(canvas, (x - round(28 * unit), y - round(28 * unit)), (x + round(28 * unit), y), ink, 2)


def _filter(draft: Draft, rng: np.random.Generator) -> str:
    name = str(rng.choice(list(FILTERS)))
    draft.rgb = np.clip(FILTERS[name](draft.rgb.astype(np.float32) / 255, rng) * 255, 0, 255).astype(np.uint8)
    return f"filter {name}"


def _saturate(rgb: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    grey = rgb.mean(axis=2, keepdims=True)
    return np.asarray(grey + (rgb - grey) * float(rng.choice([0.3, 1.8])), np.float32)


def _sepia(rgb: NDArray[np.float32], _: np.random.Generator) -> NDArray[np.float32]:
    tone = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
    return np.asarray(rgb @ tone.T, np.float32)


FILTERS: Mapping[str, Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]] = {
    "gamma": lambda rgb, rng: rgb ** float(rng.choice([0.6, 1.6])),
    "contrast": lambda rgb, rng: (rgb - 0.5) * float(rng.choice([0.6, 1.5])) + 0.5,
    "s-curve": lambda rgb, _: rgb * rgb * (3 - 2 * rgb),
    "warm": lambda rgb, _: rgb * np.array([1.15, 1.0, 0.8], np.float32) + np.array([0.04, 0.0, 0.0], np.float32),
    "saturation": _saturate,
    "sepia": _sepia,
    "grey": lambda rgb, _: np.repeat(rgb @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2),
}
"""Changes of colour on float32 RGB, 0–1."""

STEPS: Mapping[str, Callable[[Draft, np.random.Generator], str]] = {
    "crop": _crop,
    "scale": _scale,
    "rotate": _rotate,
    "turn": _turn,
    "mirror": _mirror,
    "border": _border,
    "screenshot": _screenshot,
    "filter": _filter,
}
"""Each changes the draft and says what it did."""
