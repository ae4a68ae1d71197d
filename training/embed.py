"""Shows pictures to the network and keeps what it makes of them, a file for each view; a stopped run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nsfwforensics.models.synthesis.ground import on_plain_ground
from training.bring import Picture
from training.saving import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

_SHARD = 24
_AGAIN = 80


class Seen(NamedTuple):
    """What is kept of a picture in a view.

    Attributes:
        whole: Class tokens, float16 (blocks, 768).
        embedding: float32 (512).
        plain: Whether it stands on plain, light ground.
    """

    whole: NDArray[np.float16]
    embedding: NDArray[np.float32]
    plain: bool


class Store:
    """Class tokens, embeddings and kinds of ground by view and picture, in shards below a folder.

    Args:
        folder: Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def known(self, view: str) -> dict[str, Seen]:
        """What is kept of a view, by key."""
        found: dict[str, Seen] = {}
        for path in sorted(self._folder.glob(f"{view}.*.npz")):
            with np.load(path, allow_pickle=False) as shard:
                columns = [shard[name] for name in ("keys", *Seen._fields)]
            found.update({str(key): Seen(w, e, bool(p)) for key, w, e, p in zip(*columns, strict=True)})
        return found

    def add(
        self,
        view: str,
        keys: Sequence[str],
        whole: NDArray[np.float32],
        embedding: NDArray[np.float32],
        plain: Sequence[bool],
    ) -> None:
        """Writes one shard, whole or not at all."""
        target = self._folder / f"{view}.{keys[0]}.npz"
        part = target.with_suffix(".part")
        with part.open("wb") as stream:
            half = whole.astype(np.float16)
            np.savez(stream, keys=np.array(keys), whole=half, embedding=embedding, plain=np.array(plain))
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


def shift(pictures: Sequence[Picture], view: str, out: Path, judge: Callable[[NDArray[np.float32]], float]) -> float:
    """How much higher pictures score in float32, which processors use, than by the features that are kept.

    Args:
        pictures: The catalogue.
        view: Which view; of its pictures every so manieth is looked at again, :data:`_AGAIN` in all.
        out: As for :func:`embed`.
        judge: The logit of class tokens, float32 (1, blocks, 768).

    Returns:
        The mean, in logits.
    """
    known, by_key = Store(out / "features").known(view), {picture.key: picture for picture in pictures}
    keys = sorted(known)[:: max(1, len(known) // _AGAIN)]
    exactly = _network(quick=False)
    return float(np.mean([
        judge(exactly(shown(by_key[key], view, out)[None])[0]) - judge(known[key].whole[None].astype(np.float32))
        for key in keys
    ]))  # fmt: skip


def _begin() -> None:
    import cv2
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _network()


@cache
def _network(*, quick: bool = True) -> Callable[[Rgb], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    import torch

    from nsfwforensics.models import weights
    from nsfwforensics.models.synthesis import clip

    # Several times faster there; see ``shift``.
    fast = quick and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
    tensors = weights.load_tensors(clip.MODEL, None)
    network = clip.Clip.from_tensors(tensors, torch.bfloat16 if fast else torch.float32)

    def look(batch: Rgb) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        tokens = network.look(torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2))))
        return tokens.whole.numpy(), tokens.embedding.numpy()

    return look


def _embedded(shard: Sequence[Picture], view: str, out: Path) -> None:
    keys, seen = [], []
    for picture in shard:
        try:
            seen.append(shown(picture, view, out))
        except (OSError, ValueError, SyntaxError):
            continue
        keys.append(picture.key)
    if keys:
        whole, embedding = _network()(np.stack(seen))
        Store(out / "features").add(view, keys, whole, embedding, [on_plain_ground(each) for each in seen])
