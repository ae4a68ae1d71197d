"""Builders of files that carry one mark each, byte by byte, for every rule."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from nsfwforensics.analyzers.provenance.rules.bare_names import BARE_NAMES
from tests.formats import make
from tests.pictures import saved

UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SETTINGS = "a boat\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model: boats"

PNG, JPEG = make.png(), make.jpeg()

Builder = Callable[[], bytes]


def unicode_comment(text: str, order: str = "be") -> bytes:
    return b"UNICODE\0" + text.encode(f"utf-16-{order}")


def ascii_comment(text: str) -> bytes:
    return b"ASCII\0\0\0" + text.encode()


def png_text(keyword: str, text: str) -> bytes:
    """A tEXt chunk, or iTXt where the text is not Latin-1."""
    try:
        return make.chunk(b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return make.chunk(b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text.encode())


def png(**texts: str) -> bytes:
    chunks = (png_text(keyword.replace("__", " "), text) for keyword, text in texts.items())
    return make.with_chunks(PNG, *chunks)


def photo(entries: dict[int, object] | None = None, sub: dict[int, object] | None = None) -> bytes:
    return make.with_segments(JPEG, make.exif_segment(make.exif(entries or {}, sub)))


def comment(text: str) -> bytes:
    return photo(sub={0x9286: unicode_comment(text)})


def xmp_photo(attributes: str = "", inside: str = "") -> bytes:
    return make.with_segments(JPEG, make.xmp_segment(make.xmp(inside, attributes)))


def iptc_ext(name: str, value: str, prefix: str = "Iptc4xmpExt") -> str:
    return f'xmlns:{prefix}="{IPTC_EXT}" {prefix}:{name}="{value}"'


def source_type(name: str) -> bytes:
    return xmp_photo(iptc_ext("DigitalSourceType", SOURCE_TYPE + name))


def credit(text: str) -> bytes:
    return xmp_photo(f'photoshop:Credit="{text}"')


def iptc_credit(text: str) -> bytes:
    block = make.iptc_record(2, 110, text.encode())
    return make.with_segments(JPEG, make.photoshop_segment(make.resource(0x0404, block)))


def graph(**nodes: dict[str, Any]) -> str:
    return json.dumps(nodes)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def comfyui(**nodes: dict[str, Any]) -> bytes:
    return png(prompt=graph(**nodes))


def samsung_trailer(*blocks: tuple[int, bytes, bytes]) -> bytes:
    """Blocks of (type, name, value) with their directory."""
    body, entries = b"", []
    for kind, name, value in blocks:
        block = struct.pack("<HHI", 0, kind, len(name)) + name + value
        entries.append((kind, len(body), len(block)))
        body += block
    directory = b"SEFH" + struct.pack("<II", 107, len(blocks))
    for kind, start, size in entries:
        directory += struct.pack("<HHII", 0, kind, len(body) - start, size)
    return body + directory + struct.pack("<I", len(directory)) + b"SEFT"


def galaxy(
    kind: int = 0x0D91, name: bytes = b"PEg_Info", value: bytes = b'{"genImageVersion":"v1","genAIType":8}'
) -> bytes:
    return samsung_trailer((0x0A01, b"Image_UTC_Data", b"1700000000000"), (kind, name, value))


FACE_SET = {
    "face_type": "full_face", "landmarks": [[1.0, 2.0]], "source_filename": "0001.png",
    "image_to_face_mat": [[1.0, 0.0, 0.0]],
}  # fmt: skip


def face_set(protocol: int = 4) -> bytes:
    return make.with_segments(JPEG, make.segment(0xEF, pickle.dumps(FACE_SET, protocol)))


def stealth_bits(payload: bytes, signature: bytes = b"stealth_pngcomp", bits: int | None = None) -> bytes:
    return signature + struct.pack(">I", 8 * len(payload) if bits is None else bits) + payload


def with_alpha(stream: bytes, size: tuple[int, int] = (128, 96), kind: str = "PNG") -> bytes:
    """A picture whose lowest alpha bits, down the columns, are the stream."""

    width, height = size
    alpha = np.full((height, width), 254, np.uint8)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))
    flat = alpha.T.reshape(-1).copy()
    flat[: bits.size] |= bits
    image = make.picture(size).convert("RGBA")
    image.putalpha(Image.fromarray(flat.reshape(width, height).T.copy()))
    return saved(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))


def stealth(text: str | None = None, **more: Any) -> bytes:
    told = json.dumps({"Software": "NovelAI", "Comment": json.dumps({"prompt": "a boat", "seed": 7})})
    return with_alpha(stealth_bits(gzip.compress((told if text is None else text).encode(), mtime=0)), **more)


def grok() -> bytes:
    """As xAI's files are laid out: EXIF before JFIF, the same signature twice, a UUID as artist."""
    signature = "Signature: " + "QUJD" * 24
    block = make.exif({0x010E: signature, 0x013B: UUID}, {0x9286: ascii_comment(signature)})
    return make.with_segments(make.jpeg(quality=95), make.exif_segment(block))


def animated_comfyui() -> bytes:
    block = make.exif(
        {0x010F: 'workflow:{"nodes": [], "links": []}', 0x0110: "prompt:" + graph(a=node("KSampler", seed=5))}
    )
    return make.webp(exif=b"Exif\0\0" + block)


_EDIT = "a coat\nSteps: 20, Sampler: Euler a, Seed: 1, Denoising strength: 0.75"
_LOAD = node("LoadImage", image="holiday.jpg")

INVOKEAI_GRAPH = {
    "nodes": {
        "encode": {"type": "i2l", "id": "encode", "image": {"image_name": "0a1b.png"}},
        "denoise": {"type": "denoise_latents", "id": "denoise", "steps": 30, "denoising_start": 0.4},
    },
    "edges": [
        {"source": {"node_id": "encode", "field": "latents"}, "destination": {"node_id": "denoise", "field": "latents"}}
    ],
}


def swarmui(image: dict[str, Any], extra: dict[str, Any] | None = None) -> bytes:
    return png(parameters=json.dumps({"sui_image_params": image, "sui_extra_data": extra or {}}))


FILES: Mapping[str, Builder] = {
    "swarmui": lambda: photo(
        sub={0x9286: unicode_comment('{"sui_image_params": {"prompt": "a boat", "seed": 4, "model": "m"}}', "le")}
    ),
    "fooocus-ruined": lambda: png(parameters='{"Prompt": "a boat", "seed": 3, "software": "RuinedFooocus"}'),
    "sd-next": lambda: comment(SETTINGS + ", App: SD.Next, Version: 56a8aea"),
    "forge": lambda: png(parameters=SETTINGS + ", Version: f2.0.1v1.10.1"),
    "comfyui-parameters": lambda: comment(SETTINGS + ", Version: ComfyUI"),
    "civitai": lambda: comment(SETTINGS + ', Civitai resources: [{"type":"checkpoint","modelName":"x, y"}]'),
    "civitai-graph": lambda: comment('{"1": {"class_type": "KSampler", "inputs": {}}, "extraMetadata": "{}"}'),
    "civitai-fields": lambda: photo({0x0131: UUID, 0x013B: "ai"}),
    "automatic1111": lambda: png(parameters=SETTINGS + ", Version: v1.10.1"),
    "webui-postprocessing": lambda: png(postprocessing="Postprocess upscale by: 4, Postprocess upscaler: ESRGAN_4x"),
    "comfyui": lambda: comfyui(a=node("KSampler", seed=5), b=node("CLIPTextEncode", text="a boat")),
    "invokeai": lambda: png(invokeai_metadata='{"generation_mode": "sdxl_txt2img", "positive_prompt": "ein Bööt"}'),
    "invokeai-legacy": lambda: make.with_chunks(
        make.png(), png_text("sd-metadata", '{"model": "stable diffusion", "image": {"prompt": "a boat", "seed": 2}}')
    ),
    "invokeai-dream": lambda: png(Dream='"a boat" -s 50 -S 1234 -W512 -H512 -C7.5 -A k_lms'),
    "novelai": lambda: png(
        Title="NovelAI generated image", Description="a boat", Software="NovelAI",
        Source="NovelAI Diffusion V4.5 C02D4F98", Comment='{"prompt": "a boat", "seed": 9, "uc": "bad"}',
    ),
    "fooocus": lambda: png(parameters='{"prompt": "a boat", "base_model": "m"}', fooocus_scheme="fooocus"),
    "fooocus-exif": lambda: photo({0x0131: "Fooocus v2.5.5"}, {0x9286: ascii_comment('{"prompt": "a boat"}')}),
    "fooocus-maker-note": lambda: photo(sub={0x9286: ascii_comment('{"prompt": "a boat"}'), 0x927C: b"fooocus\0"}),
    "draw-things": lambda: xmp_photo('xmp:CreatorTool="Draw Things"'),
    "draw-things-comment": lambda: xmp_photo(
        inside='<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{"c": "a boat", "uc": "bad", "seed": 1}'
        "</rdf:li></rdf:Alt></exif:UserComment>"
    ),
    "easy-diffusion": lambda: png(prompt="a boat", use_stable_diffusion_model="sd-v1-5", negative_prompt="bad"),
    "easy-diffusion-chunks": lambda: png(prompt="a boat", negative_prompt="bad"),
    "easy-diffusion-comment": lambda: comment('{"prompt": "a boat", "use_stable_diffusion_model": "sd-v1-5"}'),
    "tensorart": lambda: png(generation_data='{"prompt":"a boat","baseModel":{"label":"v16"},"seed":"-1"}\0'),
    "stability-matrix": lambda: make.with_chunks(
        make.png(), png_text("smproj", '{"version": 4}'), png_text("parameters-json", '{"PositivePrompt": "a boat"}')
    ),
    "webui-inpaint": lambda: png(parameters=_EDIT + ", Mask blur: 4, Inpaint area: Only masked, Version: v1.10.1"),
    "webui-img2img": lambda: comment(_EDIT + ", Version: v1.10.1"),
    "comfyui-face-swap": lambda: comfyui(a=_LOAD, b=node("ReActorFaceSwap", swap_model="inswapper_128.onnx")),
    "comfyui-face": lambda: comfyui(
        a=_LOAD, b=node("ApplyPulidFlux", image=["a", 0], model=["m", 0]), c=node("KSampler", model=["b", 0])
    ),
    "comfyui-inpaint": lambda: comfyui(a=_LOAD, b=node("VAEEncodeForInpaint", pixels=["a", 0])),
    "comfyui-instruction": lambda: comfyui(a=_LOAD, b=node("TextEncodeQwenImageEditPlus", image1=["a", 0])),
    "comfyui-service": lambda: comfyui(
        a=_LOAD, b=node("KlingVirtualTryOnNode", human_image=["a", 0]), c=node("SaveImage", images=["b", 0])
    ),
    "comfyui-img2img": lambda: comfyui(
        a=_LOAD, b=node("VAEEncode", pixels=["a", 0], vae=["v", 2]), c=node("KSampler", latent_image=["b", 0])
    ),
    "comfyui-processing": lambda: comfyui(
        a=_LOAD, b=node("ImageUpscaleWithModel", image=["a", 0]), c=node("SaveImage", images=["b", 0])
    ),
    "swarmui-inpaint": lambda: swarmui({"prompt": "a coat", "maskimage": "mask.png"}),
    "swarmui-img2img": lambda: swarmui({"initimagecreativity": 0.6}, {"initimage_filename": "holiday.jpg"}),
    "swarmui-instruction": lambda: swarmui({"model": "Qwen-Image-Edit-2509", "promptimages": ["holiday.jpg"]}),
    "swarmui-face": lambda: swarmui({"prompt": "a coat", "reactorfaceimage": "holiday.jpg"}),
    "mflux-edit": lambda: comment('{"mflux_version": "0.11.1", "image_path": "/x/holiday.jpg", "image_strength": 0.4}'),
    "invokeai-legacy-edit": lambda: png(**{"sd-metadata": '{"model": "m", "image": {"type": "img2img", "seed": 1}}'}),
    "invokeai-dream-edit": lambda: png(Dream='"a coat" -s 50 -S 1234 -W512 -H512 -C7.5 -I ./holiday.png -f 0.75'),
    "invokeai-graph-edit": lambda: png(invokeai_graph=json.dumps(INVOKEAI_GRAPH)),
    "easy-diffusion-edit": lambda: png(prompt="a coat", use_stable_diffusion_model="sd-v1-5", prompt_strength="0.8"),
    "easy-diffusion-comment-edit": lambda: comment(
        '{"prompt": "a coat", "use_stable_diffusion_model": "sd-v1-5", "prompt_strength": 0.8}'
    ),
    "draw-things-edit": lambda: xmp_photo(
        inside='<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{"c": "a coat", "uc": "bad", "strength": 0.6}'
        "</rdf:li></rdf:Alt></exif:UserComment>"
    ),
    "fooocus-edit": lambda: png(
        fooocus_scheme="fooocus",
        parameters='{"prompt": "a coat", "version": "Fooocus v2.5.5", "inpaint_engine": "v2.6"}',
    ),
    "invokeai-edit": lambda: png(invokeai_metadata='{"generation_mode": "flux_inpaint", "positive_prompt": "a coat"}'),
    "novelai-edit": lambda: png(
        Software="NovelAI", Comment='{"prompt": "a coat", "request_type": "NativeInfillingRequest", "strength": 0.7}'
    ),
    "flux-edit": lambda: photo({0x0131: "AI generated;inpainting;flux", 0x010F: "Black Forest Labs", 0x010E: "a coat"}),
    "deepfacelab": face_set,
    "grok": grok,
    "midjourney": lambda: png(Description=f"a boat --v 6 Job ID: {UUID}.", Author="Sample Owner"),
    "google-made": lambda: credit("Made with Google AI"),
    "google-edited": lambda: iptc_credit("Edited with Google AI"),
    "apple-clean-up": lambda: iptc_credit("Apple Photos Clean Up"),
    "samsung-ai": lambda: make.jpeg() + galaxy(),
    "samsung-ai-history": lambda: PNG + galaxy(0x0BA1, b"PhotoEditor_Re_Edit_Data", b'{"x":"{\\"genAIType\\":2}"}'),
    "flux": lambda: photo({0x0131: "AI generated;txt2img;flux", 0x010F: "Black Forest Labs", 0x010E: "a boat"}),
    "bytedance": lambda: comment('{"data": {"os": "web", "product": "dreamina", "exportType": "generation"}}'),
    "bytedance-label": lambda: photo({0x010E: '{"aigc_info": {"aigc_label_type": 1, "source_info": "x"}}'}),
    "ideogram": lambda: photo({0x010F: "Ideogram AI"}),
    "luma": lambda: png(Source="Luma AI"),
    "reve": lambda: photo({0x0131: "reve.com"}),
    "mflux": lambda: comment('{"mflux_version": "0.11.1", "prompt": "a boat", "image_path": null}'),
    "stable-diffusion-cpp": lambda: png(parameters=SETTINGS + ", Version: stable-diffusion.cpp"),
    "krita-ai": lambda: png(parameters=SETTINGS, Software="Krita 5.2.6"),
    "ai-horde": lambda: photo(
        {0x0131: "ArtBot - Create images with Stable Diffusion, utilizing the AI Horde"},
        {0x9286: unicode_comment(SETTINGS)},
    ),
    "web-ui-settings": lambda: png(parameters=SETTINGS),
    **{
        rule.id: lambda rule=rule: photo(  # type: ignore[misc]
            {0x013B if rule.id == "named-author" else 0x0131: rule.example.partition("=")[2]}
        )
        for rule in BARE_NAMES
    },
}  # fmt: skip
"""One file for every rule, by the rule's identifier."""
