"""Converts the three networks of facenet-pytorch's MTCNN to one safetensors file, once.

The originals lie in the wheel of facenet-pytorch 2.5.3 (MIT)::

    pip download --no-deps facenet-pytorch==2.5.3 && unzip facenet_pytorch-2.5.3-*.whl 'facenet_pytorch/data/*'
    python tools/convert_face_detector.py facenet_pytorch/data weights/face-detector.safetensors

They are torch archives, which hold a pickle: their SHA-256 is checked first, and only tensors are taken out of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import torch
from safetensors.torch import save_file

from nsfwforensics.models.faces.mtcnn import networks

ORIGINALS = {
    "pnet.pt": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
    "rnet.pt": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
    "onet.pt": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
}
"""The originals in the order of the cascade, and the SHA-256 of each."""


def convert(folder: Path) -> dict[str, torch.Tensor]:
    """Names the tensors as :mod:`nsfwforensics.models.faces.mtcnn` does.

    Args:
        folder: Holds the originals.

    Returns:
        float32 tensors by ``<network>.<part>.<layer>.<parameter>``.

    Raises:
        SystemExit: A file is another one.
    """
    tensors: dict[str, torch.Tensor] = {}
    for (file, expected), (network, stage) in zip(ORIGINALS.items(), networks().items(), strict=True):
        data = (folder / file).read_bytes()
        if (actual := hashlib.sha256(data).hexdigest()) != expected:
            raise SystemExit(f"{file} has SHA-256 {actual}, expected {expected}")
        for key, tensor in torch.load(io.BytesIO(data), map_location="cpu", weights_only=True).items():
            part = "heads" if key.split(".")[0] in stage.heads else "body"
            tensors[f"{network}.{part}.{key}"] = tensor.float().contiguous()
    return tensors


def main() -> None:
    """Converts the files and prints the SHA-256 for the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    save_file(convert(arguments.folder), arguments.target, metadata={"license": "MIT", **ORIGINALS})
    print(hashlib.sha256(arguments.target.read_bytes()).hexdigest(), arguments.target.name)


if __name__ == "__main__":
    main()
