"""Rules for programs that run on the user's own machine, and for services that write the same kinds of marks.

The order matters inside a family: the first rule that matches a field names its generator.
"""

from __future__ import annotations

from nsfwforensics.analyzers.provenance.model import (
    ANY_SOFTWARE,
    ARTIST,
    CREATOR_TOOL,
    FACE_SET_HOME,
    GRAPH,
    IMAGE_DESCRIPTION,
    MAKER_NOTE,
    MODEL,
    PARAMETERS,
    SOFTWARE,
    USER_COMMENT,
    XMP_USER_COMMENT,
    Condition,
    Meaning,
    Rule,
    View,
    png,
)
from nsfwforensics.analyzers.provenance.views import FROM_PICTURE
from nsfwforensics.core.messages import say
from nsfwforensics.core.types import Severity

_REAL = "real files of the sd-metadata samples"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_WEBUI = "Stable Diffusion web UI"
_GRAPH_WHERE = "PNG text `prompt`, `workflow`; EXIF Make, Model, ImageDescription or UserComment"
_SETTINGS_WHERE = "PNG text `parameters`; EXIF UserComment"
_LOADED = Condition(GRAPH, r"^\w*LoadImage\w*$", View.NODES)
_CASE = r"(?:a1111|fooocus)"

GENERATION: tuple[Rule, ...] = (
    Rule("swarmui", "SwarmUI", "PNG text `parameters`; EXIF UserComment or (older) Model",
         (Condition(PARAMETERS + MODEL, r"^sui_image_params\.", View.JSON),), Meaning.GENERATED, _REAL,
         '{"sui_image_params": {"prompt": "a boat", "model": "m", "seed": 1}}', family="parameters"),
    Rule("fooocus-ruined", "Fooocus", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^software: RuinedFooocus$", View.JSON),), Meaning.GENERATED, _REAL,
         '{"Prompt": "a boat", "seed": 1, "software": "RuinedFooocus"}', label="RuinedFooocus", family="parameters"),
    Rule("sd-next", "SD.Next", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^App: SD\.Next", View.SETTINGS),), Meaning.GENERATED, _REAL,
         "a boat\nSteps: 20, Sampler: Euler a, Seed: 1, App: SD.Next, Version: 56a8aea", family="parameters",
         label="Stable Diffusion web UI SD.Next"),
    Rule("forge", "Forge", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^Version: (?:f\d|neo\b|classic\b)", View.SETTINGS),), Meaning.GENERATED, _REAL,
         "a boat\nSteps: 20, Sampler: Euler, Seed: 1, Version: f2.0.1", family="parameters",
         label="Stable Diffusion web UI Forge"),
    Rule("comfyui-parameters", "ComfyUI", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^Version: ComfyUI", View.SETTINGS),), Meaning.GENERATED, _REAL,
         "a boat\nSteps: 20, Sampler: euler, Seed: 0, Version: ComfyUI", family="parameters"),
    Rule("civitai", "Civitai", "EXIF UserComment", (
         Condition(PARAMETERS, r"^Civitai (?:resources|metadata): ", View.SETTINGS),), Meaning.GENERATED, _REAL,
         'a boat\nSteps: 25, Sampler: Euler a, Seed: 1, Civitai resources: [{"modelName":"x"}]', family="parameters"),
    Rule("civitai-graph", "Civitai", "EXIF UserComment or PNG text `prompt`",
         (Condition(GRAPH, r"^extraMetadata(?:\.|: )", View.JSON),), Meaning.GENERATED,
         "code of the sd-metadata reader",
         '{"1": {"class_type": "KSampler"}, "extraMetadata": "{\\"prompt\\": \\"a boat\\"}"}',
         family="graph"),
    Rule("civitai-fields", "Civitai", "EXIF Software and Artist", (
         Condition(SOFTWARE, rf"^{_UUID}$"), Condition(ARTIST, r"^ai$")), Meaning.GENERATED, _REAL,
         "Software=56c0ca36-7be1-4bce-a593-949f3ae4322e, Artist=ai"),
    Rule("automatic1111", "AUTOMATIC1111", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^(?:Sampler|Version|Seed|CFG scale|Model hash): ", View.SETTINGS),),
         Meaning.GENERATED, _REAL, "a boat\nNegative prompt: bad\nSteps: 20, Sampler: DPM++ 2M, Seed: 1",
         family="parameters", label=_WEBUI),
    Rule("comfyui", "ComfyUI", _GRAPH_WHERE, (Condition(GRAPH, r"^\w", View.NODES),), Meaning.GENERATED, _REAL,
         '{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}', family="graph"),
    Rule("invokeai", "InvokeAI", "PNG text `invokeai_metadata`, `invokeai_graph`",
         (Condition(png("invokeai_metadata", "invokeai_graph"), r"^\w", View.JSON),), Meaning.GENERATED, _REAL,
         '{"generation_mode": "sdxl_txt2img", "positive_prompt": "a boat", "seed": 1}'),
    Rule("invokeai-legacy", "InvokeAI", "PNG text `sd-metadata`",
         (Condition(png("sd-metadata"), r"^(?:image|model|app_id|app_version)\b", View.JSON),), Meaning.GENERATED,
         "InvokeAI source", '{"model": "stable diffusion", "image": {"seed": 1}}'),
    Rule("invokeai-dream", "InvokeAI", "PNG text `Dream`", (Condition(png("Dream"), r"(?:^|\s)-[sS] ?\d+"),),
         Meaning.GENERATED, "InvokeAI source", '"a boat" -s 50 -S 1234 -W512 -H512 -C7.5',
         prompt=png("Dream")),
    Rule("novelai", "NovelAI", "PNG text `Software`, `Source`, `Title`; EXIF Software",
         (Condition(ANY_SOFTWARE + png("Source", "Title"), r"^NovelAI(?:$| Diffusion| generated image$)"),),
         Meaning.GENERATED, _REAL, "NovelAI Diffusion V4.5 C02D4F98"),
    Rule("fooocus", "Fooocus", "PNG text `fooocus_scheme`, EXIF Software, EXIF MakerNote",
         (Condition(png("fooocus_scheme"), rf"^{_CASE}$"),), Meaning.GENERATED,
         "Fooocus source, modules/meta_parser.py", "fooocus_scheme=fooocus"),
    Rule("fooocus-exif", "Fooocus", "EXIF Software", (Condition(SOFTWARE, r"^Fooocus v"),), Meaning.GENERATED,
         "Fooocus source, modules/meta_parser.py", "Software=Fooocus v2.5.5"),
    Rule("fooocus-maker-note", "Fooocus", "EXIF MakerNote with EXIF UserComment", (
         Condition(MAKER_NOTE, rf"^{_CASE}$"), Condition(USER_COMMENT, r"\S")), Meaning.GENERATED,
         "Fooocus source, modules/meta_parser.py", "MakerNote=fooocus"),
    Rule("draw-things", "Draw Things", "XMP CreatorTool", (Condition(CREATOR_TOOL, r"^Draw Things"),),
         Meaning.GENERATED, "Draw Things source", "CreatorTool=Draw Things"),
    Rule("draw-things-comment", "Draw Things", "XMP exif:UserComment", (
         Condition(XMP_USER_COMMENT, r"^c: ", View.JSON), Condition(XMP_USER_COMMENT, r"^uc: ", View.JSON)),
         Meaning.GENERATED, "Draw Things source", '{"c": "a boat", "uc": "bad", "seed": 1}'),
    Rule("easy-diffusion", "Easy Diffusion", "PNG text `use_stable_diffusion_model`",
         (Condition(png("use_stable_diffusion_model"), r"\S"),), Meaning.GENERATED,
         "Easy Diffusion source", "use_stable_diffusion_model=sd-v1-5",
         prompt=png("prompt", "Prompt")),
    Rule("easy-diffusion-chunks", "Easy Diffusion", "PNG text `negative_prompt` beside `prompt`", (
         Condition(png("negative_prompt", "Negative Prompt"), r"^"), Condition(png("prompt", "Prompt"), r"^[^{]")),
         Meaning.GENERATED, "Easy Diffusion source", "negative_prompt=bad",
         prompt=png("prompt", "Prompt")),
    Rule("easy-diffusion-comment", "Easy Diffusion", "EXIF UserComment",
         (Condition(USER_COMMENT, r"^use_stable_diffusion_model: ", View.JSON),), Meaning.GENERATED,
         "Easy Diffusion source",
         '{"prompt": "a boat", "use_stable_diffusion_model": "sd-v1-5"}'),
    Rule("tensorart", "TensorArt", "PNG text `generation_data`",
         (Condition(png("generation_data"), r"^(?:prompt|baseModel|negativePrompt)\b", View.JSON),), Meaning.GENERATED,
         _REAL, '{"prompt": "a boat", "baseModel": {"label": "v16"}}'),
    Rule("stability-matrix", "Stability Matrix", "PNG text `smproj`, `parameters-json`", (
         Condition(png("smproj"), r"^\w", View.JSON), Condition(png("parameters-json"), r"^\w", View.JSON)),
         Meaning.GENERATED, "code of the sd-metadata reader", '{"PositivePrompt": "a boat", "Seed": 1}'),
)  # fmt: skip
"""Marks that say a picture was generated."""

EDITS: tuple[Rule, ...] = (
    Rule("webui-inpaint", "AUTOMATIC1111", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^(?:Mask blur|Inpaint area|Masked area padding|Masked content|Mask mode): ",
                    View.SETTINGS),), Meaning.EDITED,
         "AUTOMATIC1111 source, modules/processing.py",
         "a coat\nSteps: 20, Sampler: Euler a, Seed: 1, Denoising strength: 0.75, Mask blur: 4",
         label=_WEBUI, detail=say("inpainting of an existing picture"), family="edit"),
    Rule("webui-img2img", "AUTOMATIC1111", _SETTINGS_WHERE,
         (Condition(PARAMETERS, r"^(?:Denoising strength|Init image hash): |^Operations: .*(?:img2img|inpaint)",
                    View.SETTINGS,
                    unless=r"^(?:Hires|First pass|Operations: txt2img)"),), Meaning.EDITED,
         "AUTOMATIC1111 source, modules/processing.py; the same key with Hires settings is an enlargement, no edit",
         "a coat\nSteps: 20, Sampler: Euler a, Seed: 1, Denoising strength: 0.75", label=_WEBUI,
         detail=say("image-to-image from an existing picture"), family="edit"),
    Rule("webui-postprocessing", "AUTOMATIC1111", "PNG text `postprocessing`",
         (Condition(png("postprocessing"), r"^(?:Postprocess|Upscale|GFPGAN|CodeFormer)", View.TEXT),), Meaning.EDITED,
         "AUTOMATIC1111 source",
         "Postprocess upscale by: 4, Postprocess upscaler: ESRGAN_4x", label=_WEBUI, severity=Severity.MEDIUM,
         detail=say("upscaling or face repair of an existing picture")),
    Rule("comfyui-face-swap", "ComfyUI", _GRAPH_WHERE,
         (Condition(GRAPH, r"^ReActorFaceSwap(?:Opt)?$|\.swap_model: inswapper", View.NODES),), Meaning.FACE_SWAP,
         "ReActor node source",
         '{"5": {"class_type": "ReActorFaceSwap", "inputs": {"swap_model": "inswapper_128.onnx"}}}',
         detail=say("face swap with the ReActor node")),
    Rule("comfyui-inpaint", "ComfyUI", _GRAPH_WHERE, (
         Condition(GRAPH, r"^(?:VAEEncodeForInpaint|InpaintModelConditioning|SetLatentNoiseMask)$", View.NODES),
         _LOADED), Meaning.EDITED, "ComfyUI source, nodes.py",
         '{"1": {"class_type": "LoadImage", "inputs": {}}, "2": {"class_type": "VAEEncodeForInpaint", "inputs": {}}}',
         detail=say("inpainting of an existing picture"), family="edit"),
    Rule("comfyui-instruction", "ComfyUI", _GRAPH_WHERE, (
         Condition(GRAPH, r"^(?:TextEncodeQwenImageEdit(?:Plus)?|FluxKontextImageScale|ReferenceLatent)$",
                   View.NODES),
         _LOADED), Meaning.EDITED, "ComfyUI source, comfy_extras",
         '{"1": {"class_type": "LoadImage"}, "2": {"class_type": "TextEncodeQwenImageEdit", "inputs": {}}}',
         detail=say("an existing picture changed by written instruction"), family="edit"),
    Rule("comfyui-img2img", "ComfyUI", _GRAPH_WHERE,
         (Condition(GRAPH, "^" + FROM_PICTURE.replace("(", r"\(").replace(")", r"\)") + "$", View.NODES),),
         Meaning.EDITED, "ComfyUI source, nodes.py (the sampler's latent_image leads back to a loaded picture)",
         '{"1": {"class_type": "LoadImage"}, "2": {"class_type": "VAEEncode", "inputs": {"pixels": ["1", 0]}}, '
         '"3": {"class_type": "KSampler", "inputs": {"latent_image": ["2", 0]}}}',
         detail=say("image-to-image from an existing picture"), family="edit"),
    Rule("invokeai-edit", "InvokeAI", "PNG text `invokeai_metadata`",
         (Condition(png("invokeai_metadata"), r"^generation_mode: \w*(?:img2img|inpaint|outpaint)$", View.JSON),),
         Meaning.EDITED, "InvokeAI source, invokeai/app/invocations/metadata.py (generation modes)",
         '{"generation_mode": "sdxl_inpaint", "positive_prompt": "a coat"}',
         detail=say("inpainting or image-to-image of an existing picture")),
    Rule("novelai-edit", "NovelAI", "PNG text `Comment`; EXIF UserComment", (
         Condition(png("Comment") + USER_COMMENT,
                   r"^(?:Comment\.)?request_type: .*(?:Img2ImgRequest|NativeInfillingRequest)", View.JSON),
         Condition(ANY_SOFTWARE, r"^NovelAI")), Meaning.EDITED, "code of several readers of NovelAI files",
         '{"prompt": "a coat", "request_type": "NativeInfillingRequest"}',
         detail=say("inpainting or image-to-image of an existing picture")),
    Rule("flux-edit", "FLUX", "EXIF Software", (
         Condition(SOFTWARE, r"^AI generated;(?:img2img|inpainting);flux"),), Meaning.EDITED,
         "FLUX source", "Software=AI generated;inpainting;flux",
         detail=say("inpainting or image-to-image of an existing picture"), prompt=IMAGE_DESCRIPTION),
    Rule("deepfacelab", "DeepFaceLab", "JPEG segment APP15: a Python pickle, read without running it", (
         Condition((FACE_SET_HOME,), r"^face_type$"), Condition((FACE_SET_HOME,), r"^landmarks$"),
         Condition((FACE_SET_HOME,), r"^(?:source_filename|image_to_face_mat)$")), Meaning.FACE_SET,
         "DeepFaceLab source", "keys face_type, landmarks, source_filename, image_to_face_mat"),
)  # fmt: skip
"""Marks that say somebody's existing picture was changed, or prepared for it."""
