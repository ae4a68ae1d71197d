"""The image tower of CLIP ViT-B/16 (Radford et al. 2021, arXiv 2103.00020), with a tap on every block.

Its weights are stored as int8 with one scale per output channel (``tools/convert_clip.py``) and are multiplied out when
they are read. It runs in float32, or on a GPU with the linear layers and the attention in bfloat16; the residual stream
and the norms are float32 either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.device import exact

MODEL = "clip-vit-b16"
"""Name in the weights manifest."""

SIDE = 224
"""Side of the square that the network sees, in pixels."""

PATCH = 16
"""Side of a patch in pixels."""

GRID = SIDE // PATCH
"""Patches along each side."""

WIDTH = 768
"""Numbers per token."""

LEAST_COSINE_BFLOAT16 = 0.999
"""Tokens of one picture in float32 and in bfloat16 are at least this alike (cosine), after every block."""

_HEADS = 12
_CPU_CHUNK = 1
_DEVICE_CHUNK = 64

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class Tokens(NamedTuple):
    """What the network makes of square views.

    Attributes:
        whole: float32 (N, blocks, 768), the class token after each block.
        patches: float32 (N, blocks asked for, 196, 768), the patch tokens row by row, or None where not asked for.
        embedding: float32 (N, 512), not normalised: what compares pictures by content.
    """

    whole: Tensor
    patches: Tensor | None
    embedding: Tensor


_linear = partial(skip_init, nn.Linear)
"""A layer whose weights are not drawn at random only to be replaced."""


class _Block(nn.Module):
    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.qkv = _linear(WIDTH, 3 * WIDTH, dtype=dtype)
        self.out = _linear(WIDTH, WIDTH, dtype=dtype)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.fc1 = _linear(WIDTH, 4 * WIDTH, dtype=dtype)
        self.fc2 = _linear(4 * WIDTH, WIDTH, dtype=dtype)

    def forward(self, x: Tensor, wanted: int | None = None) -> Tensor:
        """Only the first ``wanted`` tokens are worked out, where the others are not looked at any more."""
        packed = self.norm1(x).to(self.qkv.weight.dtype)
        q_weight, kv_weight = self.qkv.weight[:WIDTH], self.qkv.weight[WIDTH:]
        q_bias, kv_bias = self.qkv.bias[:WIDTH], self.qkv.bias[WIDTH:]
        q = _by_head(functional.linear(packed[:, :wanted], q_weight, q_bias))
        k, v = (_by_head(each) for each in functional.linear(packed, kv_weight, kv_bias).chunk(2, 2))
        seen = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x[:, :wanted] + self.out(seen).float()
        wide = self.fc1(self.norm2(x).to(seen.dtype))
        result: Tensor = x + self.fc2(wide * torch.sigmoid(1.702 * wide)).float()
        return result


def _by_head(tokens: Tensor) -> Tensor:
    """Tokens (N, tokens, 768) as (N, heads, tokens, 64)."""
    return tokens.view(*tokens.shape[:2], _HEADS, WIDTH // _HEADS).transpose(1, 2)


class Clip(nn.Module):
    """CLIP's image network (ViT-B/16) in torch.

    Args:
        blocks: How many blocks, at most 12.
        dtype: Of the linear layers and the attention.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, blocks: int = 12, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(WIDTH))
        self.patches = nn.Parameter(torch.zeros(WIDTH, 3, PATCH, PATCH))
        self.positions = nn.Parameter(torch.zeros(GRID * GRID + 1, WIDTH))
        self.norm_before = nn.LayerNorm(WIDTH)
        self.blocks = nn.ModuleList(_Block(dtype) for _ in range(blocks))
        self.norm_after = nn.LayerNorm(WIDTH)
        self.projection = _linear(WIDTH, 512, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> Clip:
        """Builds the network from the stored tensors, frozen.

        Args:
            tensors: int8 ``*.weight`` with float32 ``*.scale``, and the float tensors.
            dtype: Of the linear layers and the attention.

        Raises:
            WeightsError: A tensor is missing or has another shape.
        """
        state = {name: value for name, value in tensors.items() if not name.endswith(".scale")}
        for name in [name for name in tensors if name.endswith(".scale")]:
            weight = f"{name.removesuffix('.scale')}.weight"
            state[weight] = state[weight].float() * tensors[name][:, None]
        try:
            blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
            for block in range(blocks):
                for part in ("weight", "bias"):
                    rows = [state.pop(f"blocks.{block}.{x}.{part}") for x in "qkv"]
                    state[f"blocks.{block}.qkv.{part}"] = torch.cat(rows)
            network = cls(blocks, dtype)
            network.load_state_dict(state)
        except (KeyError, ValueError, RuntimeError) as error:
            problem = say("the tensors of {model} are not laid out as expected: {error}", model=MODEL, error=str(error))
            raise WeightsError(problem) from error
        return network.eval().requires_grad_(False)

    def forward(self, views: Tensor, patches_of: tuple[int, ...] = ()) -> Tokens:
        """Runs the network on square views.

        Args:
            views: uint8 or float (N, 3, 224, 224), RGB of 0–255.
            patches_of: Blocks, counted from 0, whose patch tokens are wanted too.
        """
        x = (views.float() / 255 - self.mean) / self.deviation
        x = functional.conv2d(x, self.patches, stride=PATCH).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], 1) + self.positions
        x = self.norm_before(x)
        whole, patches = [], []
        for index, block in enumerate(self.blocks):
            x = block(x, 1 if index + 1 == len(self.blocks) and index not in patches_of else None)
            whole.append(x[:, 0])
            if index in patches_of:
                patches.append(x[:, 1:])
        embedding = self.projection(self.norm_after(x[:, 0]))
        return Tokens(torch.stack(whole, 1), torch.stack(patches, 1) if patches else None, embedding)

    def look(self, views: Tensor, patches_of: tuple[int, ...] = ()) -> Tokens:
        """Like calling the network, in pieces of one size, and with the answer on the CPU.

        On a CPU every view goes through on its own: it is as fast, and no number depends on its neighbours.
        """
        device = self.positions.device
        size = _CPU_CHUNK if device.type == "cpu" else _DEVICE_CHUNK
        with exact():
            found = [self(part.to(device), patches_of) for part in torch.split(views, size)]
        patches = [tokens.patches.cpu() for tokens in found if tokens.patches is not None]
        return Tokens(
            torch.cat([tokens.whole.cpu() for tokens in found]),
            torch.cat(patches) if patches else None,
            torch.cat([tokens.embedding.cpu() for tokens in found]),
        )


def fast_dtype(device: str) -> torch.dtype:
    """bfloat16 where a GPU multiplies it fast, else float32.

    On processors too bfloat16 can be fast (AMX), but there a score would depend on the number of threads and on the
    processor.

    Args:
        device: A resolved device name.
    """
    if device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


@cache
def cached_clip(device: str, folder: Path | None) -> Clip:
    """The process's one network for a device, made at first use.

    Args:
        device: A resolved device name.
        folder: A folder to look for weights in before the installed one.

    Raises:
        WeightsError: The weights are missing, altered or of an unknown layout.
    """
    return Clip.from_tensors(weights.load_tensors(MODEL, folder), fast_dtype(device)).to(device)
