"""The network against torchvision's vision transformer with the same numbers, and against itself in bfloat16."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from nsfwforensics.errors import WeightsError
from nsfwforensics.models import weights
from nsfwforensics.models.synthesis import clip


class QuickGelu(nn.Module):
    """The activation that CLIP was trained with."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


def torchvision_tokens(tensors: Mapping[str, Tensor], views: Tensor) -> list[Tensor]:
    """Class tokens after each block, by torchvision's blocks (its own attention, norms and layers)."""

    from torchvision.models.vision_transformer import VisionTransformer  # it loads for seconds

    def full(name: str) -> Tensor:
        return tensors[f"{name}.weight"].float() * tensors[f"{name}.scale"][:, None]

    blocks = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
    with torch.device("meta"):  # without numbers, which ours take the place of
        model = VisionTransformer(
            image_size=224, patch_size=16, num_layers=blocks, num_heads=12, hidden_dim=768, mlp_dim=3072,
            norm_layer=partial(nn.LayerNorm, eps=1e-5),
        ).eval()  # fmt: skip
    model.to_empty(device="cpu")
    for index, block in enumerate(model.encoder.layers):
        key = f"blocks.{index}"
        attention, first, second = block.self_attention, block.mlp[0], block.mlp[3]
        block.mlp[1] = QuickGelu()
        with torch.no_grad():
            attention.in_proj_weight.copy_(torch.cat([full(f"{key}.{x}") for x in "qkv"]))
            attention.in_proj_bias.copy_(torch.cat([tensors[f"{key}.{x}.bias"] for x in "qkv"]))
            for layer, name in ((attention.out_proj, "out"), (first, "fc1"), (second, "fc2")):
                layer.weight.copy_(full(f"{key}.{name}"))
                layer.bias.copy_(tensors[f"{key}.{name}.bias"])
            for norm, name in ((block.ln_1, "norm1"), (block.ln_2, "norm2")):
                norm.weight.copy_(tensors[f"{key}.{name}.weight"])
                norm.bias.copy_(tensors[f"{key}.{name}.bias"])
    mean = torch.tensor((0.48145466, 0.4578275, 0.40821073)).view(1, 3, 1, 1)
    deviation = torch.tensor((0.26862954, 0.26130258, 0.27577711)).view(1, 3, 1, 1)
    found = []
    with torch.inference_mode():
        model.conv_proj.weight.copy_(tensors["patches"])
        model.conv_proj.bias.zero_()
        patches = model._process_input((views.float() / 255 - mean) / deviation)
        x = torch.cat([tensors["class_token"].expand(len(views), 1, -1), patches], 1) + tensors["positions"]
        x = nn.functional.layer_norm(x, (768,), tensors["norm_before.weight"], tensors["norm_before.bias"])
        for block in model.encoder.layers:
            x = block(x)
            found.append(x[:, 0])
    return found


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return weights.load_tensors(clip.MODEL)


@pytest.fixture(scope="module")
def views() -> Tensor:
    """Smooth shapes, noise and a flat picture."""
    random = torch.Generator().manual_seed(3)
    small = torch.rand((3, 3, 7, 7), generator=random) * 255
    smooth = nn.functional.interpolate(small, size=224, mode="bicubic").clamp(0, 255)
    noise = torch.rand((1, 3, 224, 224), generator=random) * 255
    return torch.cat([smooth, noise, torch.full((1, 3, 224, 224), 128.0)]).to(torch.uint8)


@pytest.fixture(scope="module")
def network(tensors: Mapping[str, Tensor]) -> clip.Clip:
    return clip.Clip.from_tensors(tensors)


def test_every_block_agrees_with_torchvisions(network: clip.Clip, tensors: Mapping[str, Tensor], views: Tensor) -> None:
    ours = network.look(views).whole
    for block, theirs in enumerate(torchvision_tokens(tensors, views)):
        cosine = torch.cosine_similarity(ours[:, block].double(), theirs.double(), dim=1)
        assert cosine.min() >= 0.9999, block
        assert torch.allclose(ours[:, block], theirs, atol=2e-3), block


@pytest.mark.slow
def test_bfloat16_stays_within_its_stated_bound(
    network: clip.Clip, tensors: Mapping[str, Tensor], views: Tensor
) -> None:
    quick = clip.Clip.from_tensors(tensors, torch.bfloat16).look(views)
    exact = network.look(views)
    assert torch.cosine_similarity(exact.whole, quick.whole, dim=2).min() >= clip.LEAST_COSINE_BFLOAT16
    assert torch.cosine_similarity(exact.embedding, quick.embedding, dim=1).min() >= clip.LEAST_COSINE_BFLOAT16


@pytest.mark.slow
def test_neighbours_and_threads_change_nothing(network: clip.Clip, views: Tensor) -> None:
    together = network.look(views, patches_of=(5,))
    apart = network.look(views[2:3], patches_of=(5,))
    assert torch.equal(together.whole[2], apart.whole[0])
    assert together.patches is not None
    assert apart.patches is not None
    assert together.patches.shape == (5, 1, 196, 768)
    assert torch.equal(together.patches[2], apart.patches[0])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.allclose(network.look(views[:1]).whole, together.whole[:1], atol=1e-4)
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_the_last_block_works_out_no_more_than_the_class_token(network: clip.Clip, views: Tensor) -> None:
    plain = network.look(views[:2], patches_of=(11,))
    quick = network.look(views[:2])
    assert torch.equal(quick.whole[:, :11], plain.whole[:, :11])
    torch.testing.assert_close(quick.whole[:, 11], plain.whole[:, 11], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(quick.embedding, plain.embedding, rtol=1e-4, atol=1e-5)


def test_other_tensors_are_refused(tensors: Mapping[str, Tensor]) -> None:
    with pytest.raises(WeightsError, match="not laid out"):
        clip.Clip.from_tensors({name: tensors[name] for name in tensors if not name.startswith("blocks.3.q")})
    with pytest.raises(WeightsError, match="not laid out"):
        clip.Clip.from_tensors({})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_says_the_same(network: clip.Clip, tensors: Mapping[str, Tensor], views: Tensor) -> None:
    there = clip.Clip.from_tensors(tensors).to("cuda").look(views)
    assert torch.allclose(there.whole, network.look(views).whole, atol=5e-3)
