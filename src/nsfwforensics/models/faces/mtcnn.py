"""The cascade of MTCNN on facenet-pytorch's weights, without that package.

Its cascade averages the whole picture down anew for every scale in torch; this one lets OpenCV do the resizing. The
weights are ours to ship, converted once (``tools/convert_face_detector.py``). Layers, thresholds and the conventions of
boxes are those of Zhang et al. 2016 (arXiv 1604.02878) as facenet-pytorch trained and ported them; a test compares the
two.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nsfwforensics.models.device import exact
from nsfwforensics.models.faces.files import DETECTOR
from nsfwforensics.models.weights import load_tensors

Boxes = NDArray[np.float64]

THRESHOLDS = (0.6, 0.7, 0.7)
PYRAMID_STEP = 0.709
WINDOW = 12
STRIDE = 2
MAX_PROPOSALS = 3000
"""Most windows kept per scale: noise made to look like faces everywhere must not cost minutes."""

AT_ONCE, AT_ONCE_ELSEWHERE = 32, 256
"""Windows of 48 pixels that go through a network together, on the CPU and beside it: of 256, a layer alone takes 70 MB.
On the CPU as many smaller ones as take no more room."""


_MANY = 1 << 16
_COMPARED = 64  # boxes that are compared with all others at a time


class Detections(NamedTuple):
    """Faces of one picture: boxes (N, 4) as left, top, right, bottom; scores (N,); landmarks (N, 5, 2)."""

    boxes: Boxes
    scores: Boxes
    landmarks: Boxes


class _Stage(nn.Module):
    """Convolutions, then heads: face or not, box correction, and in the last network landmarks."""

    def __init__(self, body: OrderedDict[str, nn.Module], heads: dict[str, nn.Module], *, dense: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(body)
        self.heads = nn.ModuleDict(heads)
        self.dense = dense

    def forward(self, x: Tensor) -> list[Tensor]:
        for name, layer in self.body.named_children():
            if self.dense and name.startswith("dense"):
                # The weights expect the features in the order width, height, channels.
                x = x.permute(0, 3, 2, 1).flatten(1)
            x = layer(x)
        heads = [*self.heads.children()]
        if self.dense or x.numel() < _MANY:
            results = [head(x) for head in heads]
        else:  # all at once: they read many times as much as they write. Of few numbers the sums would differ
            weight, bias = (torch.cat([head.get_parameter(name) for head in heads]) for name in ("weight", "bias"))
            sizes = [len(head.get_parameter("bias")) for head in heads]
            results = [*torch.split(functional.conv2d(x, weight, bias), sizes, dim=1)]
        return [results[0].softmax(dim=1), *results[1:]]


class _Pool(nn.Module):
    """Max-pooling in steps of 2, several times faster than torch's own on the CPU; the last window may be cut off.

    Args:
        window: Rows and columns of a window, 2 or 3.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self._window = window

    def forward(self, x: Tensor) -> Tensor:
        return self._along(self._along(x, 2), 3)

    def _along(self, x: Tensor, axis: int) -> Tensor:
        steps = [slice(None)] * axis
        even, odd = x[(*steps, slice(0, None, 2))], x[(*steps, slice(1, None, 2))]
        pairs, first = odd.shape[axis], even.narrow(axis, 0, odd.shape[axis])
        if self._window == 3:
            made = torch.maximum(first, odd)
            part = made.narrow(axis, 0, even.shape[axis] - 1)
            torch.maximum(part, even.narrow(axis, 1, part.shape[axis]), out=part)
            return made
        if pairs == even.shape[axis]:
            return torch.maximum(first, odd)
        made = torch.empty_like(even)
        torch.maximum(first, odd, out=made.narrow(axis, 0, pairs))
        made.narrow(axis, pairs, 1).copy_(even.narrow(axis, pairs, 1))
        return made


class _Slope(nn.PReLU):
    """PReLU; where channels lie side by side, whole rows at once, several times as fast as torch's own on the CPU."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        count, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(count * height, width * channels)
        made = functional.prelu(rows, self.weight.expand(width, channels).reshape(-1))
        return made.reshape(count, height, width, channels).permute(0, 3, 1, 2)


def _proposal() -> _Stage:
    body = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(3, 10, 3), prelu1=_Slope(10), pool1=_Pool(2),
        conv2=nn.Conv2d(10, 16, 3), prelu2=_Slope(16), conv3=nn.Conv2d(16, 32, 3), prelu3=_Slope(32),
    )  # fmt: skip
    return _Stage(body, {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)}, dense=False)


def _refinement() -> _Stage:
    body = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(3, 28, 3), prelu1=_Slope(28), pool1=_Pool(3),
        conv2=nn.Conv2d(28, 48, 3), prelu2=_Slope(48), pool2=_Pool(3),
        conv3=nn.Conv2d(48, 64, 2), prelu3=_Slope(64), dense4=nn.Linear(576, 128), prelu4=_Slope(128),
    )  # fmt: skip
    return _Stage(body, {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)}, dense=True)


def _output() -> _Stage:
    body = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(3, 32, 3), prelu1=_Slope(32), pool1=_Pool(3),
        conv2=nn.Conv2d(32, 64, 3), prelu2=_Slope(64), pool2=_Pool(3),
        conv3=nn.Conv2d(64, 64, 3), prelu3=_Slope(64), pool3=_Pool(2),
        conv4=nn.Conv2d(64, 128, 2), prelu4=_Slope(128), dense5=nn.Linear(1152, 256), prelu5=_Slope(256),
    )  # fmt: skip
    heads = {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10)}
    return _Stage(body, dict(heads), dense=True)


def networks() -> dict[str, _Stage]:
    """The three networks of the cascade in their order, without weights."""
    return {"proposal": _proposal(), "refinement": _refinement(), "output": _output()}


class Mtcnn:
    """The three networks and the cascade around them.

    Args:
        device: A resolved device name.
        min_face: Smallest face sought, in pixels.
        weights: A folder to look for the weights in before the installed one.

    Raises:
        WeightsError: The weights are missing, or others than those that were measured.
    """

    def __init__(self, device: str, min_face: int, weights: Path | None = None) -> None:
        self._device = torch.device(device)
        self._min_face = min_face
        tensors = load_tensors(DETECTOR, weights)
        stages = []
        for name, stage in networks().items():
            stage.load_state_dict(
                {key.removeprefix(f"{name}."): each for key, each in tensors.items() if key.startswith(f"{name}.")}
            )
            stages.append(stage.eval().requires_grad_(False).to(self._device))
        self._proposal, self._refinement, self._output = stages

    @exact()
    def detect(self, rgb: NDArray[np.uint8], least: float = THRESHOLDS[0]) -> Detections:
        """Runs the cascade on a picture as it is.

        Args:
            rgb: uint8 (height, width, 3), contiguous.
            least: What the first network must say of a window for the others to look at it, 0–1.

        Returns:
            The faces, the surest first. Boxes may reach beyond the picture.
        """
        boxes = _square(self._propose(rgb, least))
        score, correction, *_ = self._classify(self._refinement, rgb, boxes, 24)
        kept = np.flatnonzero(score > THRESHOLDS[1])
        kept = kept[suppress(boxes[kept], score[kept], 0.7)]
        boxes = _square(_corrected(boxes[kept], correction[kept], 1.0))
        score, correction, marks = self._classify(self._output, rgb, boxes, 48)
        kept = np.flatnonzero(score > THRESHOLDS[2])
        boxes, score, correction = boxes[kept], score[kept], correction[kept]
        extent = boxes[:, 2:] - boxes[:, :2] + 1.0
        points = marks[kept].reshape(-1, 2, 5).transpose(0, 2, 1) * extent[:, None] + boxes[:, None, :2] - 1.0
        boxes = _corrected(boxes, correction, 1.0)
        kept = suppress(boxes, score, 0.7, of_smaller=True)
        return Detections(boxes[kept], score[kept], points[kept])

    @exact()
    def likeness(self, rgb: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much a place of a picture looks like an upright face, as it is and turned.

        Args:
            rgb: uint8 (height, width, 3).
            box: float (4,): left, top, right, bottom in pixels.

        Returns:
            float64 (4,): the last network's score, 0–1, for 0 to 3 quarter turns counter-clockwise.
        """
        crop = self._crops(rgb, _square(box[None]), 48)[0]
        turned = np.ascontiguousarray(np.stack([np.rot90(crop, turn) for turn in range(4)]))
        return np.asarray(self._output(self._tensor(turned))[0][:, 1].double().cpu().numpy())

    def _propose(self, rgb: NDArray[np.uint8], least: float) -> Boxes:
        height, width = rgb.shape[:2]
        scale = WINDOW / self._min_face
        found = []
        base = rgb
        while min(height, width) * scale >= WINDOW:
            size = (int(width * scale + 1), int(height * scale + 1))
            while min(base.shape[:2]) > 2 * min(size):  # exact halving is quick, and leaves the averages as they are
                base = np.asarray(cv2.resize(base, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
            level = np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.uint8)
            scores, corrections = self._proposal(self._tensor(level[None]))
            score = scores[0, 1].double().cpu().numpy()
            rows, columns = np.nonzero(score >= least)
            if rows.size:
                best = np.argsort(-score[rows, columns], kind="stable")[:MAX_PROPOSALS]
                rows, columns = rows[best], columns[best]
                corner = np.column_stack([columns, rows]) * float(STRIDE)
                boxes = np.floor(np.hstack([corner + 1.0, corner + WINDOW]) / scale)
                correction = corrections[0].cpu().numpy()[:, rows, columns].T.astype(np.float64)
                row = np.column_stack([boxes, score[rows, columns], correction])
                found.append(row[suppress(boxes, row[:, 4], 0.5)])
            scale *= PYRAMID_STEP
        if not found:
            return np.empty((0, 4))
        every = np.concatenate(found)
        every = every[suppress(every[:, :4], every[:, 4], 0.7)]
        return _corrected(every[:, :4], every[:, 5:], 0.0)

    def _classify(self, stage: _Stage, rgb: NDArray[np.uint8], boxes: Boxes, side: int) -> list[Boxes]:
        crops = self._crops(rgb, boxes, side)
        if not len(crops):
            return [np.empty(0), np.empty((0, 4)), np.empty((0, 10))]
        most = AT_ONCE * (48 // side) ** 2 if self._device.type == "cpu" else AT_ONCE_ELSEWHERE
        parts = [stage(self._tensor(crops[start : start + most])) for start in range(0, len(crops), most)]
        score, *rest = (torch.cat(column).double().cpu().numpy() for column in zip(*parts, strict=True))
        return [score[:, 1], *rest]

    @staticmethod
    def _crops(rgb: NDArray[np.uint8], boxes: Boxes, side: int) -> NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        crops = np.zeros((len(boxes), side, side, 3), np.uint8)
        for crop, (left, top, right, bottom) in zip(crops, np.trunc(boxes).astype(int), strict=True):
            part = rgb[max(top, 1) - 1 : max(min(bottom, height), 0), max(left, 1) - 1 : max(min(right, width), 0)]
            if part.size:
                crop[:] = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
        return crops

    def _tensor(self, pictures: NDArray[np.uint8]) -> Tensor:
        # (value - 127.5) / 128 in one pass; whole parts of 256, so exact in whatever order they are worked out
        rows = pictures.reshape(-1, pictures.shape[2] * 3)
        made = cv2.addWeighted(rows, 1 / 128, rows, 0.0, -127.5 / 128, dtype=cv2.CV_32F)
        return torch.from_numpy(made.reshape(pictures.shape)).to(self._device).permute(0, 3, 1, 2)


def suppress(boxes: Boxes, scores: Boxes, threshold: float, *, of_smaller: bool = False) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Torchvision has one too, which takes 1.9 seconds of processor time to import and knows overlap of the union only.

    Args:
        boxes: float (N, 4).
        scores: float (N,).
        threshold: Boxes that overlap a better one by more than this are dropped.
        of_smaller: Whether overlap is measured against the smaller box instead of the union.

    Returns:
        Indices of the boxes that are kept, the best first.
    """
    order = np.argsort(-scores, kind="stable")
    kept = [order[:0]]
    while order.size:
        first, order = order[:_COMPARED], order[_COMPARED:]
        over = _overlapping(boxes, first, first, threshold, of_smaller=of_smaller)
        alive = np.ones(len(first), bool)
        for number in range(len(first)):
            if alive[number]:  # it overlaps itself too
                alive &= ~over[number]
                alive[number] = True
        kept.append(first[alive])
        order = order[~_overlapping(boxes, kept[-1], order, threshold, of_smaller=of_smaller).any(axis=0)]
    return np.concatenate(kept)


def _overlapping(
    boxes: Boxes, some: NDArray[np.intp], others: NDArray[np.intp], threshold: float, *, of_smaller: bool
) -> NDArray[np.bool_]:
    """Which boxes overlap which others by more than a threshold: bool (some, others)."""
    left, top, right, bottom = boxes.T
    area = (right - left) * (bottom - top)

    def beside(values: Boxes) -> tuple[Boxes, Boxes]:
        return values[some][:, None], values[others][None]

    width = np.minimum(*beside(right)) - np.maximum(*beside(left))
    height = np.minimum(*beside(bottom)) - np.maximum(*beside(top))
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    one, other = beside(area)
    whole = np.minimum(other, one) if of_smaller else other + one - shared
    return np.asarray(shared > threshold * np.maximum(whole, 1e-9))


def _corrected(boxes: Boxes, correction: Boxes, margin: float) -> Boxes:
    extent = boxes[:, 2:] - boxes[:, :2] + margin
    return boxes + correction * np.hstack([extent, extent])


def _square(boxes: Boxes) -> Boxes:
    extent = boxes[:, 2:] - boxes[:, :2]
    side = extent.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + (extent - side) / 2.0
    return np.hstack([corner, corner + side])
