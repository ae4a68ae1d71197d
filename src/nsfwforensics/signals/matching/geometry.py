"""Maps of the plane and polygons in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_FLAT = 1e-6  # of places along a line the second direction is left to chance, and to the solver that stands it


def affine(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """Affine map by least squares, centred so that the system is well conditioned."""
    middle, aim = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    from_middle, from_aim = source - middle, target - aim
    (xx, xy), (_, yy) = from_middle.T @ from_middle
    determinant = xx * yy - xy * xy
    if determinant > _FLAT * xx * yy:  # the inverse by hand: the general solver takes five times as long
        linear = (np.array([[yy, -xy], [-xy, xx]]) / determinant @ (from_middle.T @ from_aim)).T
    else:
        linear = np.linalg.lstsq(from_middle, from_aim, rcond=None)[0].T
    return np.vstack([np.column_stack([linear, aim - linear @ middle]), [0.0, 0.0, 1.0]])


def is_affine(matrix: NDArray[np.float64]) -> bool:
    """Whether a map (3, 3) keeps parallels, its last entry being 1."""
    x, y, one = matrix[2].tolist()
    return bool(x == y == 0.0 and one == 1.0)


def project(matrix: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (n, 2) through a map (3, 3)."""
    if is_affine(matrix):
        return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2], np.float64)
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    depth = mapped[:, 2:]
    projected: NDArray[np.float64] = mapped[:, :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)
    return projected


def derivative(matrix: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Jacobian (n, 2, 2) of the map at points (n, 2)."""
    if is_affine(matrix):
        return np.broadcast_to(np.asarray(matrix[:2, :2], np.float64), (len(points), 2, 2))
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    depth = np.where(np.abs(mapped[:, 2]) < 1e-9, 1e-9, mapped[:, 2])[:, None, None]
    place = mapped[:, :2, None] / depth
    jacobian: NDArray[np.float64] = (matrix[None, :2, :2] - place * matrix[None, 2:, :2]) / depth
    return jacobian


def corners(size: tuple[int, int]) -> NDArray[np.float64]:
    """Outer corners (4, 2) of a picture of this width and height, pixel centres at whole numbers."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection (k, 2) of two convex polygons; (0, 2) where they do not meet."""
    import cv2

    _, polygon = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return np.zeros((0, 2)) if polygon is None else np.asarray(polygon, np.float64).reshape(-1, 2)


def area(polygon: NDArray[np.float64]) -> float:
    """Area of a polygon (k, 2)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def hull_area(places: NDArray[np.float32]) -> float:
    """Area of the convex hull of points (k, 2)."""
    import cv2

    return float(cv2.contourArea(cv2.convexHull(places)))


__all__ = ["affine", "area", "corners", "derivative", "hull_area", "is_affine", "overlap", "project"]
