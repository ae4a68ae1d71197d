"""What nodes of a graph do, told by their class names and inputs: data for :mod:`..graphs`, each with its source.

Names of classes are not closed lists: every node pack spells them its own way. The patterns say what such names have in
common; what a node really does to a picture is then judged by what flows into it and out of it.
"""

from __future__ import annotations

import re


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


# ComfyUI nodes.py (LoadImage, LoadImageMask, LoadImageOutput), WAS node suite (Image Load), VideoHelperSuite
# (VHS_LoadVideo, VHS_LoadImages), comfyui-tooling-nodes (ETN_LoadImageBase64), easy-use (easy loadImageBase64),
# LoadImageFromUrl and Image From URL of several packs.
LOADS_PICTURE = _words(r"""
    (?:load|get|fetch|import|read|open|upload|paste|receive|capture|pick|choose|url|base64|clipboard|webcam)
        .*(?:images?|img|pictures?|photos?|frames?|videos?)
    | (?:images?|img|pictures?|photos?|frames?|videos?)
        .*(?:load|input|upload|url|base64|clipboard|picker|receive|capture|from.?(?:file|path|folder|dir|disk))
    | webcam | screen.?share | krita.?canvas""")
"""Loaders of pictures and video frames, by name; a node that holds a picture's file name or address counts too."""

LOADS_MODEL = _words(r"""
    model | checkpoint | \bckpt | lora | vae(?!.?enc) | \bclip | unet | diffuser | control.?net | \bdit\b | nunchaku
    | dit.?loader | size | count | info | save | preview | empty""")
"""What the pattern above also fits, and is no loader of pictures: models with "image" in their name, and measures."""

PICTURE_FILE = re.compile(
    r"\.(?:png|jpe?g|jfif|webp|gif|bmp|tiff?|heic|heif|avif|mp4|mov|webm|mkv|avi|m4v)(?:\s*\[\w+\])?\s*$"
    r"|^data:(?:image|video)/|^(?:iVBORw0KGgo|/9j/4)",
    re.IGNORECASE,
)
"""A widget's value that names a picture: a file (``her.jpg [input]``), or the picture itself as text."""
WEB_ADDRESS = re.compile(r"^https?://", re.IGNORECASE)
PICTURE_PLACE = re.compile(r"^(?!.*(?:api|base_?url|endpoint|host|server)).*(?:image|img|video|photo|picture|url|path)",
                           re.IGNORECASE)  # fmt: skip
"""The inputs in which a web address is one of a picture."""

# nodes.py (KSampler, KSamplerAdvanced), comfy_extras/nodes_custom_sampler.py, efficiency-nodes (KSampler (Efficient)),
# Impact Pack (FaceDetailer), UltimateSDUpscale; InvokeAI (denoise_latents, flux_denoise).
SAMPLES = _words(r"sampler(?!.?select) | sampling\b | denoise | detailer | ultimate.?sd.?upscale | inpaint.?cropped")
"""Nodes that draw; what they start from is judged."""
DRAWS = (frozenset({"seed", "noise_seed", "noise"}), frozenset({"steps", "sigmas", "denoise", "sampler_name", "cfg"}))
"""One input of each set also makes a sampler of a node that takes a model."""

# nodes.py (VAEEncodeForInpaint, InpaintModelConditioning, SetLatentNoiseMask), ImagePadForOutpaint, Inpaint Crop and
# Stitch, BrushNet, Fooocus inpaint nodes.
INPAINTS = _words(r"inpaint | outpaint | noise.?mask | brush.?net | power.?paint")

# comfy_extras (TextEncodeQwenImageEdit, ReferenceLatent, FluxKontextImageScale, InstructPixToPixConditioning).
INSTRUCTED = _words(r"""
    text.?encode.*edit | reference.?latents? | kontext | instruct.?pix | qwen.?image.?edit
    | image.?edit.*(?:encode|cond)
    | omni.?gen | step1x | ic.?edit | flux2?.*reference""")
"""Nodes through which a model that edits by written instruction is given the picture."""

# ComfyUI comfy_api_nodes (GrokImageEditNode, GeminiImageNode, ByteDanceSeedreamNode, BriaImageEditNode,
# FluxKontextProImageNode, OpenAIGPTImage1, IdeogramV3, RecraftImageToImageNode, KlingVirtualTryOnNode …).
SERVES = _words(r"""
    grok | gemini | nano.?banana | imagen\d | \bimagen\b | seed(?:ream|edit|ance) | byte.?dance | dreamina | jimeng
    | doubao | \bbria | kontext | flux.*(?:pro(?!mpt|c|j|v)|max|ultra|vto|expand) | open.?ai | gpt.?image | dall.?e
    | ideogram | recraft | stability | \bluma(?!n) | runway | kling | pika | pixverse | minimax | hailuo | veo\d | \bveo
    | \bsora | vidu | moonvalley | topaz | magnific | wavespeed | replicate | \bfal(?:ai|\b|_) | \breve(?!r) | freepik
    | midjourney | qwen.*edit | \bapi\b | api.?node | api$
    | image.?(?:edit|to.?image)(?!.*(?:encode|cond)) | img2img | edit.?image
    | try.?on | vto\b | vton | ootd | fit.?dit""")
"""Nodes that make a picture by themselves or by a service, where they are given one."""
PROMPTS = re.compile(r"(?:^|[_.])(?:prompt|instructions?|edit_text)\b", re.IGNORECASE)
"""Inputs in which such nodes are told what to do."""

READS = _words(r"""
    segment | \bsam\d? | dino | mask | detect | florence | caption | interrogat | tagger | describe | vision | chat
    | llm | llava | vlm | ollama | prompt.?(?:gen|from) | clip.?seg | \bocr | compare | size""")
"""Nodes that look at a picture with a prompt, and give words or masks."""

# comfy core (ControlNetApply, StyleModelApply, unCLIPConditioning), IPAdapter plus, Redux, T2I adapter.
GUIDES = _words(r"""
    control.?(?:net|image|lora) | canny | ip.?adapter | t2i | style.?model | redux | un.?clip | clip.?vision | revision
    | pulid | instant.?id | photo.?maker | face.?id | depth.?anything | openpose | pose.?estim | vace""")
"""Nodes in which a picture only guides the result: its shape, its style or a face, not its pixels."""

# PuLID (ApplyPulid, ApplyPulidFlux), ComfyUI_InstantID (ApplyInstantID), IPAdapter plus (IPAdapterFaceID), PhotoMaker,
# EcomID (ApplyEcomID…), ComfyUI_InfiniteYou, HyperLoRA, UNO/DreamO with identity, WithAnyone, Arc2Face.
GIVES_FACE = _words(r"""
    pulid | instant.?id | face.?id | photo.?maker | ecom.?id | infinite.?you | infu(?:se)?.?net | hyper.?lora
    | consistent.?id | arc2face | uni.?portrait | with.?anyone | face.?adapter
    | stand.?in | face.?embed""")
"""Nodes that carry a person's face from a picture into the generator."""
FACE_ADAPTER = re.compile(r"face|portrait", re.IGNORECASE)
"""An IP-Adapter's preset or file for faces (``PLUS FACE (portraits)``, ``ip-adapter-plus-face_sd15``)."""
ADAPTS = re.compile(r"ip.?adapter", re.IGNORECASE)

# ReActor (ReActorFaceSwap, ReActorFaceSwapOpt), ComfyUI-roop, mtb (Face Swap (mtb)), FaceFusion nodes, HyperSwap.
SWAPS = _words(r"reactor.*swap | face.?swap | swap.?face | \broop | inswapper | hyper.?swap | face.?fusion")
SWAP_MODEL = re.compile(r"inswapper|reswapper|hyperswap|simswap|uniface|ghost_unet|blendswap", re.IGNORECASE)
NO_SWAP = re.compile(r"load|model|option|boost|mask|save|build", re.IGNORECASE)

EMPTY = re.compile(r"^Empty|empty.?(?:latent|image|sd3)|^noise$|^lscale_null", re.IGNORECASE)
"""Nodes that give a blank canvas: their inputs are only measures."""

NOT_PIXELS = re.compile(
    r"^(?:model|unet|clip|vae|positive|negative|cond\w*|control_?\w*|control|style\w*|ip_?adapter\w*|clip_vision\w*|"
    r"sigmas|noise|sampler|guider|scheduler|upscale_model\w*|lora\w*|stack\w*|\w*mask\w*|text\w*|\w*prompt\w*|string\w*|"
    r"width\w*|height\w*|\w*size\w*|length|frame_rate|fps|seed\w*|steps|cfg|denoise|strength\w*|amount|value|int\w*|"
    r"float\w*|count|index|batch\w*|insightface|face_?analysis|face_model|pulid\w*|instantid|eva_clip|bbox_detector|"
    r"sam_model\w*|segm_detector\w*|audio\w*|transformer|t5_encoder|clip_embed|kontext_conditioning|seed_\w*)$",
    re.IGNORECASE,
)
"""Inputs that carry no pixels, by name; told by their type where the graph states it."""
PIXELS = frozenset({"IMAGE", "LATENT", "VIDEO", "*", "", "PIPE", "BASIC_PIPE", "DETAILER_PIPE", "PIPE_LINE",
                    "RGTHREE_CONTEXT", "IMAGES", "IMAGE,VIDEO", "SEGS", "VHS_BatchManager"})  # fmt: skip
"""Types of connections on which a picture may travel."""
SHOWN_AS = re.compile(r"image|img|pixels|samples|latent|video|frames|photo|picture|destination|source", re.IGNORECASE)
"""Inputs that take pixels: what a node's output must be used as to be a picture."""
