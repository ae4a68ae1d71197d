"""Shows pictures to the network and keeps what it makes of them, a file for each view; a stopped run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from training.bring import Picture
from training.saving import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

_SHARD = 24

DEPTH = 10
"""Blocks that the larger view goes through."""


class Seen(NamedTuple):
    """What the network makes of one picture.

    Attributes:
        small: float16 (12, 768), class tokens of the smaller view.
        large: float16 (depth, 768), of the larger one.
        embedding: float32 (512).
    """

    small: NDArray[np.float16]
    large: NDArray[np.float16]
    embedding: NDArray[np.float32]


class Store:
    """Class tokens and embeddings by view and picture, in shards below a folder.

    Args:
        folder: Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def known(self, view: str) -> dict[str, Seen]:
        """What there is of a view, by key."""
        found: dict[str, Seen] = {}
        for path in sorted(self._folder.glob(f"{view}.*.npz")):
            with np.load(path, allow_pickle=False) as shard:
                rows = zip(shard["keys"], shard["small"], shard["large"], shard["embedding"], strict=True)
                found.update({str(key): Seen(*seen) for key, *seen in rows})
        return found

    def add(self, view: str, keys: Sequence[str], seen: Sequence[Seen]) -> None:
        """Writes one shard, whole or not at all."""
        target = self._folder / f"{view}.{keys[0]}.npz"
        part = target.with_suffix(".part")
        small, large, embedding = (np.stack(each) for each in zip(*seen, strict=True))
        with part.open("wb") as stream:
            np.savez(stream, keys=np.array(keys), small=small, large=large, embedding=embedding)
        part.replace(target)


def embed(pictures: Sequence[Picture], view: str, out: Path, *, processes: int = 2) -> None:
    """Embeds what is not embedded yet.

    Args:
        pictures: The catalogue.
        view: A tier, or one of :data:`training.saving.OTHERS`.
        out: Shards go to ``out/features``.
        processes: Each with one thread.
    """
    have = Store(out / "features").known(view)
    todo = [picture for picture in pictures if picture.key not in have]
    shards = [todo[start : start + _SHARD] for start in range(0, len(todo), _SHARD)]
    if not shards:
        return
    # Not forked: a child of a process that has used torch can wait forever for threads that it does not have.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin) as pool:
        for _ in pool.map(_embedded, shards, [view] * len(shards), [out] * len(shards)):
            pass


def _begin() -> None:
    import cv2
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _network()


_KEPT: list[Callable[[Sequence[Rgb]], list[Seen]]] = []


def _network() -> Callable[[Sequence[Rgb]], list[Seen]]:
    if not _KEPT:
        import torch

        from nsfwforensics.models.synthesis import canonical, clip

        network = clip.cached_clip("cpu", None)

        def planes(views: NDArray[np.uint8]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(views.transpose(0, 3, 1, 2)))

        def look(squares: Sequence[Rgb]) -> list[Seen]:
            views = canonical.views_of(squares)
            tokens, large = network.look(planes(views.small)), network.early(planes(views.large), DEPTH)
            rows = zip(tokens.whole.half().numpy(), large.half().numpy(), tokens.embedding.numpy(), strict=True)
            return [Seen(*row) for row in rows]

        _KEPT.append(look)
    return _KEPT[0]


def _embedded(shard: Sequence[Picture], view: str, out: Path) -> None:
    keys, squares = [], []
    for picture in shard:
        try:
            squares.append(shown(picture, view, out))
        except (OSError, ValueError, SyntaxError):
            continue
        keys.append(picture.key)
    if keys:
        Store(out / "features").add(view, keys, _network()(squares))
