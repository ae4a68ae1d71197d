"""CLIP's image tower in NumPy, for a file or two: loading torch takes a core longer than the whole network does.

The same tensors, the same blocks and the same numbers as :mod:`nsfwforensics.models.synthesis.clip` in float32, up to
the order in which they are added up. The stored int8 weights are multiplied out block by block and not kept, so that
the network takes as much memory as its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights

MODEL, SIDE, PATCH, WIDTH = "clip-vit-b16", 224, 16, 768
GRID = SIDE // PATCH
LAYERS = {
    **dict.fromkeys(("q", "k", "v", "out"), (WIDTH, WIDTH)),
    "fc1": (4 * WIDTH, WIDTH),
    "fc2": (WIDTH, 4 * WIDTH),
}
HEADS = 12
EPSILON = 1e-5
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)

Floats = NDArray[np.float32]


class ArrayTokens(NamedTuple):
    """What the network makes of square views, as :class:`nsfwforensics.models.synthesis.clip.Tokens` has it."""

    whole: Floats
    embedding: Floats


def checked(tensors: Mapping[str, NDArray[Any]]) -> int:
    """How many blocks the stored tensors make, all of which have the shapes that they should have.

    Raises:
        WeightsError: A tensor is missing or has another shape.
    """
    try:
        blocks = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        shapes: dict[str, tuple[int, ...]] = {
            f"blocks.{i}.{name}.weight": shape for i in range(blocks) for name, shape in LAYERS.items()
        }
        shapes |= {"positions": (GRID * GRID + 1, WIDTH), "class_token": (WIDTH,), "patches": (WIDTH, 3, PATCH, PATCH)}
        for name, shape in shapes.items():
            if tensors[name].shape != shape:
                raise ValueError(f"{name} of shape {tensors[name].shape}")
    except (KeyError, ValueError, IndexError) as error:
        problem = say("the tensors of {model} are not laid out as expected: {error}", model=MODEL, error=str(error))
        raise WeightsError(problem) from error
    return blocks


class ArrayClip:
    """CLIP's image network (ViT-B/16) in NumPy.

    Args:
        tensors: int8 ``*.weight`` with float32 ``*.scale``, and the float tensors.

    Raises:
        WeightsError: A tensor is missing or has another shape.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.blocks = checked(tensors)
        self._tensors = tensors
        self._patches = tensors["patches"].reshape(WIDTH, 3 * PATCH * PATCH)
        self._room = np.empty(4 * WIDTH * WIDTH, np.float32)

    def look(self, views: NDArray[np.uint8]) -> ArrayTokens:
        """Looks at square views, uint8 (N, 3, 224, 224), RGB; no number depends on the view's neighbours."""
        tokens = [self.laid_out(view) for view in views]
        whole = []
        for index in range(self.blocks):
            tokens = self.block(index, tokens, 1 if index + 1 == self.blocks else None)
            whole.append(np.stack([each[0] for each in tokens]))
        last = _standardised(whole[-1], self._tensors, "norm_after")
        embedding = self._through("projection", [row[None] for row in last])
        return ArrayTokens(np.stack(whole, 1), np.concatenate(embedding))

    def laid_out(self, view: NDArray[np.uint8]) -> Floats:
        """The tokens that the first block sees, float32 (197, 768), the class token first, of uint8 (3, 224, 224)."""
        mean, deviation = (np.array(each, np.float32)[:, None, None] for each in (MEAN, DEVIATION))
        pixels = (view.astype(np.float32) / np.float32(255) - mean) / deviation
        rows = pixels.reshape(3, GRID, PATCH, GRID, PATCH).transpose(1, 3, 0, 2, 4).reshape(GRID * GRID, -1)
        tokens = np.concatenate([self._tensors["class_token"][None], rows @ self._patches.T])
        return _standardised(tokens + self._tensors["positions"], self._tensors, "norm_before")

    def block(self, index: int, views: Sequence[Floats], wanted: int | None = None) -> list[Floats]:
        """Sends the tokens of several views through one block, whose weights are multiplied out once for all of them.

        Args:
            index: Which block, counted from 0.
            views: Of each view its tokens, float32 (tokens, 768).
            wanted: How many of the first tokens are worked out, where the others are not looked at any more.
        """
        key = f"blocks.{index}"
        packed = [_standardised(x, self._tensors, f"{key}.norm1") for x in views]
        asking = self._through(f"{key}.q", [each[:wanted] for each in packed])
        asked, told = (self._through(f"{key}.{name}", packed) for name in "kv")
        seen = [_attended(*each) for each in zip(asking, asked, told, strict=True)]
        seen = self._through(f"{key}.out", seen)
        views = [x[:wanted] + each for x, each in zip(views, seen, strict=True)]
        wide = self._through(f"{key}.fc1", [_standardised(x, self._tensors, f"{key}.norm2") for x in views])
        narrow = self._through(f"{key}.fc2", [_gated(each) for each in wide])
        return [x + each for x, each in zip(views, narrow, strict=True)]

    def _through(self, name: str, views: Sequence[Floats]) -> list[Floats]:
        """Rows of several views after a linear layer; its weights stand in the one place for that, for so long."""
        stored = self._tensors[f"{name}.weight"]
        weight = self._room[: stored.size].reshape(stored.shape)
        np.copyto(weight, stored)
        found = []
        for rows in views:
            made: Floats = rows @ weight.T
            made *= self._tensors[f"{name}.scale"]
            if (bias := self._tensors.get(f"{name}.bias")) is not None:
                made += bias
            found.append(made)
        return found


def _attended(q: Floats, k: Floats, v: Floats) -> Floats:
    q, k, v = (_by_head(tokens) for tokens in (q, k, v))
    weight = q @ k.transpose(0, 2, 1)
    weight *= np.float32((WIDTH // HEADS) ** -0.5)
    weight -= weight.max(-1, keepdims=True)
    np.exp(weight, out=weight)
    weight /= weight.sum(-1, keepdims=True)
    return np.asarray((weight @ v).transpose(1, 0, 2).reshape(-1, WIDTH), np.float32)


def _gated(wide: Floats) -> Floats:
    """Changes its argument."""
    gate = wide * np.float32(-1.702)
    np.exp(gate, out=gate)
    gate += 1
    wide /= gate
    return wide


def _by_head(tokens: Floats) -> Floats:
    """Tokens (tokens, 768) as (heads, tokens, 64)."""
    return tokens.reshape(len(tokens), HEADS, WIDTH // HEADS).transpose(1, 0, 2)


def _standardised(rows: Floats, tensors: Mapping[str, NDArray[Any]], name: str) -> Floats:
    """Rows after a layer norm."""
    centred: Floats = rows - rows.mean(-1, keepdims=True)
    centred /= np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(EPSILON))
    centred *= tensors[f"{name}.weight"]
    centred += tensors[f"{name}.bias"]
    return centred


@cache
def cached_array_clip(folder: Path | None) -> ArrayClip:
    """The process's one such network, made at first use; see :func:`.clip.cached_clip`."""
    return ArrayClip(weights.load_arrays(MODEL, folder))
