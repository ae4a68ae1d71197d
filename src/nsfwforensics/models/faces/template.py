"""What is kept of a face.

Apart from what makes it: a process that only passes it on, as a command's main process does, loads no networks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """What is kept of one face; picklable, and small.

    Attributes:
        vectors: float32 (2, dimensions): embeddings of the face as it is and mirrored.
        size: Shorter side of its box in pixels of the picture.
        pose_error: How far its landmarks are from those of a face seen from the front; see
            :func:`nsfwforensics.models.faces.align.pose_error`.
        sharpness: Fine detail left in it, relative to its contrast; see
            :func:`nsfwforensics.models.faces.compare.sharpness`.
        upright: Whether it could be stood upright; its vectors mean nothing where it could not.
    """

    vectors: NDArray[np.float32]
    size: float
    pose_error: float
    sharpness: float
    upright: bool = True
