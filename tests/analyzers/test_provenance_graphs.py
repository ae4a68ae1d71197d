"""Graphs are judged by what flows into what: an edit of a picture is told from a picture that only guides."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsfwforensics.analyzers.provenance import graphs
from tests.analyzers import provenance_files as files
from tests.analyzers.provenance_files import comfyui, node, png
from tests.analyzers.test_provenance_rules import codes, examine, only

LOAD = node("LoadImage", image="her.jpg")
ENCODE = node("VAEEncode", pixels=["a", 0], vae=["m", 2])
DRAW = node("KSampler", seed=5, steps=20, denoise=0.6, model=["m", 0], positive=["p", 0], latent_image=["b", 0])
BLANK = node("EmptyLatentImage", width=512)


def details(data: bytes) -> set[str]:
    """What the findings about edits say in brackets, and the codes of those about faces."""
    outcome = examine(data)
    said = {f.explanation.split("(")[1].split(")")[0] for f in outcome.findings if f.code == "PROV-002"}
    return said | (codes(outcome) & {"PROV-003", "PROV-015"})


IMG2IMG = "image-to-image from an existing picture"
INPAINT = "inpainting of an existing picture"
TOLD = "an existing picture changed by written instruction"
SERVED = "an existing picture changed by a service or another model"


@pytest.mark.parametrize(
    "loader",
    [
        node("LoadImage", image="her.jpg"),
        node("Image Load", image_path="/in/her.png"),
        node("LoadImageMask", image="clipspace/x.png [input]"),
        node("LoadImageOutput", image="x.png [output]"),
        node("ETN_LoadImageBase64", image="iVBORw0KGgoAAA"),
        node("easy loadImageBase64", base64_data="/9j/4AAQSkZJRg"),
        node("LoadImageFromUrl", url="https://example.org/her"),
        node("Image From URL", url="https://example.org/her.jpg"),
        node("VHS_LoadVideo", video="clip.mp4"),
        node("VHS_LoadImagesPath", directory="frames"),
        node("SomeonesPicker", file="photos/her.webp"),
        node("ImageFromClipboard"),
    ],
    ids=lambda made: made["class_type"],
)
def test_a_picture_from_any_loader_that_reaches_the_latent_is_image_to_image(loader: dict[str, Any]) -> None:
    assert details(comfyui(a=loader, b=ENCODE, c=DRAW)) == {IMG2IMG}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"b": node("GrokImageEditNode", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("GeminiImageNode", images=["a", 0], prompt="x")}, TOLD),
        ({"b": node("GeminiNanoBanana2", **{"model.images.image_1": ["a", 0]}, prompt="x")}, TOLD),
        ({"b": node("ByteDanceSeedreamNode", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("BriaImageEditNode", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("FluxKontextProImageNode", input_image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("OpenAIGPTImage1", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("RecraftImageToImageNode", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("IdeogramV3", image=["a", 0], prompt="x")}, TOLD),
        ({"b": node("AcmeRedraw", picture=["a", 0], prompt="x")}, TOLD),
        ({"b": node("KlingVirtualTryOnNode", human_image=["a", 0], cloth_image=["k", 0])}, SERVED),
        ({"b": node("FluxVTO", person_image=["a", 0])}, SERVED),
    ],
)
def test_a_partner_node_that_is_given_a_picture_changes_it(nodes: dict[str, Any], said: str) -> None:
    assert details(comfyui(a=LOAD, **nodes, c=node("SaveImage", images=["b", 0]))) == {said}


@pytest.mark.parametrize(
    "nodes",
    [
        {"b": node("GeminiImageNode", prompt="x"), "c": node("SaveImage", images=["b", 0])},
        {"a": LOAD, "b": node("GeminiNode", images=["a", 0], prompt="x"),
         "p": node("CLIPTextEncode", text=["b", 0]),
         "c": node("KSampler", positive=["p", 0], latent_image=["e", 0]), "e": BLANK},
        {"a": LOAD, "b": node("Florence2Run", image=["a", 0], text_input="x"),
         "p": node("CLIPTextEncode", text=["b", 2]),
         "c": node("KSampler", positive=["p", 0], latent_image=["e", 0]), "e": BLANK},
        {"a": LOAD, "b": node("ControlNetApplyAdvanced", image=["a", 0], positive=["p", 0]),
         "c": node("KSampler", positive=["b", 0], latent_image=["e", 0]), "e": BLANK},
        {"a": LOAD, "k": node("CannyEdgePreprocessor", image=["a", 0]),
         "b": node("ControlNetApplyAdvanced", image=["k", 0], positive=["p", 0]),
         "c": node("KSampler", positive=["b", 0], latent_image=["e", 0]), "e": BLANK},
        {"a": LOAD, "b": node("IPAdapterAdvanced", image=["a", 0], model=["m", 0], ipadapter=["i", 1]),
         "i": node("IPAdapterUnifiedLoader", preset="PLUS (high strength)"),
         "c": node("KSampler", model=["b", 0], latent_image=["e", 0]), "e": BLANK},
        {"a": LOAD, "s": node("GetImageSize", image=["a", 0]),
         "e": node("EmptyLatentImage", width=["s", 0], height=["s", 1]),
         "c": node("KSampler", latent_image=["e", 0])},
        {"a": LOAD, "b": node("StyleModelApply", clip_vision_output=["v", 0]),
         "v": node("CLIPVisionEncode", image=["a", 0]), "c": node("KSampler", positive=["b", 0], latent_image=["e", 0]),
         "e": BLANK},
        {"u": node("NunchakuQwenImageDiTLoader", model_name="qwen-image.safetensors"),
         "c": node("KSampler", model=["u", 0], latent_image=["e", 0]), "e": BLANK},
        {"c": node("KSampler", latent_image=["e", 0]), "e": BLANK, "d": node("VAEDecode", samples=["c", 0]),
         "g": node("FaceDetailer", image=["d", 0], model=["m", 0], seed=1, steps=20, denoise=0.4)},
        {"(starts from a loaded picture)": node("(starts from a loaded picture)")},
    ],
)  # fmt: skip
def test_a_picture_that_only_guides_or_is_only_read_is_no_edit(nodes: dict[str, Any]) -> None:
    assert details(comfyui(**nodes)) == set()


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ({"b": node("VAEEncodeForInpaint", pixels=["a", 0], mask=["a", 1]), "c": DRAW}, INPAINT),
        ({"b": node("SetLatentNoiseMask", samples=["e", 0], mask=["a", 1]), "e": ENCODE, "c": DRAW}, INPAINT),
        ({"i": node("InpaintModelConditioning", pixels=["a", 0], positive=["p", 0]),
          "c": node("KSampler", latent_image=["i", 2], positive=["i", 0])}, INPAINT),
        ({"b": ENCODE, "r": node("ReferenceLatent", latent=["b", 0], conditioning=["p", 0]),
          "c": node("KSampler", positive=["r", 0], latent_image=["e", 0]), "e": BLANK}, TOLD),
        ({"b": node("TextEncodeQwenImageEditPlusAdvance", image1=["a", 0], prompt="x")}, TOLD),
        ({"b": node("ImageScale", image=["a", 0]), "e": node("VAEEncode", pixels=["b", 0]),
          "c": node("SamplerCustomAdvanced", latent_image=["e", 0])}, IMG2IMG),
        ({"c": node("FaceDetailer", image=["a", 0], model=["m", 0], seed=1, steps=20, denoise=0.4)}, IMG2IMG),
        ({"c": node("UltimateSDUpscale", image=["a", 0], model=["m", 0], seed=1, steps=20)}, IMG2IMG),
        ({"b": node("WanImageToVideo", start_image=["a", 0], positive=["p", 0]),
          "c": node("KSampler", latent_image=["b", 2])}, IMG2IMG),
        ({"b": node("ImageUpscaleWithModel", image=["a", 0]), "c": node("SaveImage", images=["b", 0])},
         "an existing picture processed without being generated anew"),
    ],
)  # fmt: skip
def test_the_ways_in_which_a_picture_is_drawn_anew(nodes: dict[str, Any], said: str) -> None:
    assert details(comfyui(a=LOAD, **nodes)) == {said}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ApplyPulidFlux", "PROV-015"), ("ApplyInstantID", "PROV-015"), ("IPAdapterFaceID", "PROV-015"),
        ("PhotoMakerEncode", "PROV-015"), ("ApplyEcomID", "PROV-015"), ("InfiniteYouApply", "PROV-015"),
        ("ReActorFaceSwap", "PROV-003"), ("roop", "PROV-003"), ("Face Swap (mtb)", "PROV-003"),
        ("HyperSwapFace", "PROV-003"),
    ],
)  # fmt: skip
def test_givers_of_faces_are_said(kind: str, code: str) -> None:
    nodes = {"a": LOAD, "b": node(kind, image=["a", 0], model=["m", 0]), "c": DRAW | {"inputs": {"model": ["b", 0]}}}
    finding = only(examine(comfyui(**nodes)), code)
    assert finding.severity.value == "high"
    assert "face" in finding.explanation


def test_a_generated_face_or_a_loader_alone_gives_nobodys_face() -> None:
    made = node("VAEDecode", samples=["c", 0])
    assert (
        details(comfyui(a=made, b=node("ApplyPulid", image=["a", 0]), c=node("KSampler", latent_image=["e", 0])))
        == set()
    )
    assert details(comfyui(a=node("PulidFluxModelLoader", pulid_file="x.safetensors"), b=LOAD)) == set()
    assert details(comfyui(a=LOAD, b=node("ReActorFaceSwap", enabled=False, input_image=["a", 0]))) == set()


def test_an_adapter_for_faces_is_told_by_its_preset() -> None:
    nodes = {"a": LOAD, "i": node("IPAdapterUnifiedLoader", preset="PLUS FACE (portraits)"),
             "b": node("IPAdapterAdvanced", image=["a", 0], ipadapter=["i", 1], model=["i", 0])}  # fmt: skip
    assert details(comfyui(**nodes)) == {"PROV-015"}


def drawn(
    number: int | str, kind: str, inputs: dict[str, tuple[str, int | None]] | None = None, **more: Any
) -> dict[str, Any]:
    """A node as the editor keeps it: inputs by name with their type and the number of their connection."""
    taken = [{"name": name, "type": type_, "link": link} for name, (type_, link) in (inputs or {}).items()]
    return {"id": number, "type": kind, "mode": 0, "inputs": taken, **more}


def editor(nodes: list[dict[str, Any]], links: list[list[Any]], **more: Any) -> bytes:
    return png(workflow=json.dumps({"nodes": nodes, "links": links, "version": 0.4, **more}))


def chain(loader: dict[str, Any], middle: dict[str, Any] | None = None, *, mode: int = 0) -> bytes:
    between = [middle] if middle else []
    source = 7 if middle else 1
    nodes = [loader, *between, drawn(2, "VAEEncode", {"pixels": ("IMAGE", 2), "vae": ("VAE", 9)}),
             drawn(3, "KSampler", {"latent_image": ("LATENT", 3)}, widgets_values=[5, "fixed", 20, 7, "euler"])
             | {"mode": mode}]  # fmt: skip
    return editor(nodes, [[1, 1, 0, 7, 0, "IMAGE"], [2, source, 0, 2, 0, "IMAGE"], [3, 2, 0, 3, 1, "LATENT"]])


HER = drawn(1, "LoadImage", widgets_values=["her.jpg", "image"])


def test_an_editors_graph_says_the_same_as_the_one_that_was_run() -> None:
    assert details(chain(HER)) == {IMG2IMG}
    assert details(chain(drawn(1, "Somebodys Source", widgets_values={"file": "her.jpg"}))) == {IMG2IMG}
    assert details(chain(HER, drawn(7, "Reroute", {"": ("*", 1)}))) == {IMG2IMG}


def test_what_is_bypassed_passes_on_and_what_is_muted_does_not_count() -> None:
    passing = drawn(7, "ImageScale", {"image": ("IMAGE", 1)}) | {"mode": 4}
    assert details(chain(HER, passing)) == {IMG2IMG}
    assert details(chain(HER | {"mode": 2})) == set()
    assert details(chain(HER, mode=2)) == set()


def test_types_of_connections_keep_masks_and_sizes_from_being_pictures() -> None:
    nodes = [HER, drawn(2, "MaskThing", {"source": ("MASK", 1)}), drawn(3, "KSampler", {"latent_image": ("LATENT", 2)})]
    assert details(editor(nodes, [[1, 1, 1, 2, 0, "MASK"], [2, 2, 0, 3, 0, "LATENT"]])) == set()


def test_what_is_given_by_name_is_followed() -> None:
    nodes = [HER, drawn(4, "SetNode", {"IMAGE": ("IMAGE", 1)}, widgets_values=["photo"]),
             drawn(5, "GetNode", widgets_values=["photo"]),
             drawn(2, "VAEEncode", {"pixels": ("IMAGE", 2)}),
             drawn(3, "KSampler", {"latent_image": ("LATENT", 3)})]  # fmt: skip
    links = [[1, 1, 0, 4, 0, "IMAGE"], [2, 5, 0, 2, 0, "IMAGE"], [3, 2, 0, 3, 0, "LATENT"]]
    assert details(editor(nodes, links)) == {IMG2IMG}


def subgraph(identifier: str, nodes: list[dict[str, Any]], links: list[tuple[Any, ...]]) -> dict[str, Any]:
    named = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return {
        "id": identifier, "name": "edit", "inputs": [{"name": "image", "type": "IMAGE"}],
        "outputs": [{"name": "out", "type": "*"}], "nodes": nodes,
        "links": [dict(zip(named, link, strict=True)) for link in links],
    }  # fmt: skip


def test_what_lies_inside_subgraphs_is_seen_from_both_sides() -> None:
    inner = subgraph(
        "u-1", [drawn(5, "VAEEncode", {"pixels": ("IMAGE", 1)})],
        [(1, -10, 0, 5, 0, "IMAGE"), (2, 5, 0, -20, 0, "LATENT")],
    )  # fmt: skip
    nodes = [HER, drawn(2, "u-1", {"image": ("IMAGE", 1)}), drawn(3, "KSampler", {"latent_image": ("LATENT", 2)})]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "LATENT"]]
    assert details(editor(nodes, links, definitions={"subgraphs": [inner]})) == {IMG2IMG}
    whole = subgraph(
        "u-2",
        [drawn(5, "VAEEncode", {"pixels": ("IMAGE", 1)}), drawn(6, "KSampler", {"latent_image": ("LATENT", 2)}),
         drawn(7, "u-1", {"image": ("IMAGE", 3)})],
        [(1, -10, 0, 7, 0, "IMAGE"), (3, -10, 0, 7, 0, "IMAGE"), (2, 7, 0, 6, 0, "LATENT"),
         (4, 6, 0, -20, 0, "LATENT")],
    )  # fmt: skip
    nested = editor(
        [HER, drawn(2, "u-2", {"image": ("IMAGE", 1)})], links[:1], definitions={"subgraphs": [inner, whole]}
    )
    assert details(nested) == {IMG2IMG}
    unfed = editor([drawn(2, "u-2")], [], definitions={"subgraphs": [inner, whole]})
    assert details(unfed) == set()


def test_older_group_nodes_are_laid_open() -> None:
    group = {"external": [], "nodes": [
        {"type": "VAEEncode", "index": 0, "inputs": [{"name": "pixels", "type": "IMAGE"}]},
        {"type": "KSampler", "index": 1, "inputs": [{"name": "latent_image", "type": "LATENT"}]},
    ], "links": [[0, 0, 1, 0, 5, "LATENT"], [None, 0, 0, 0, 1, "IMAGE"]]}  # fmt: skip
    nodes = [HER, drawn(2, "workflow>edit", {"VAEEncode pixels": ("IMAGE", 1)})]
    data = editor(nodes, [[1, 1, 0, 2, 0, "IMAGE"]], extra={"groupNodes": {"edit": group}})
    assert details(data) == {IMG2IMG}


def test_the_graph_that_was_run_counts_more_than_the_editors() -> None:
    run = files.graph(c=node("KSampler", latent_image=["e", 0]), e=BLANK)
    both = json.loads(json.dumps({"nodes": [HER, drawn(2, "VAEEncode", {"pixels": ("IMAGE", 1)}),
                                            drawn(3, "KSampler", {"latent_image": ("LATENT", 2)})],
                                  "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "LATENT"]]}))  # fmt: skip
    assert details(png(prompt=run, workflow=json.dumps(both))) == set()


def test_invokeais_graph_is_followed_the_same_way() -> None:
    assert details(png(invokeai_graph=json.dumps(files.INVOKEAI_GRAPH))) == {
        "inpainting or image-to-image of an existing picture"
    }
    guided = {
        "nodes": {"c": {"type": "controlnet", "image": {"image_name": "x.png"}}, "d": {"type": "denoise_latents"}},
        "edges": [
            {"source": {"node_id": "c", "field": "control"}, "destination": {"node_id": "d", "field": "control"}}
        ],
    }
    assert details(png(invokeai_graph=json.dumps(guided))) == set()


def test_other_programs_without_a_starting_picture_are_no_edit() -> None:
    for data in (
        files.swarmui({"prompt": "a boat", "initimagecreativity": 0}),
        files.swarmui({"prompt": "a boat", "model": "sdxl", "promptimages": ["style.png"]}),
        files.png(Dream='"a boat" -s 50 -S 1234 -I'),
        files.png(prompt="a boat", use_stable_diffusion_model="x", prompt_strength="None"),
        files.comment('{"mflux_version": "1", "image_path": null, "image_paths": []}'),
    ):
        assert "PROV-002" not in codes(examine(data))


def _hostile() -> dict[str, dict[str, Any]]:
    every = {str(n): node("KSampler", latent_image=[str((n * 7 + 1) % 4000), 0]) for n in range(4000)}
    wide = {f"i{n}": [str(n), 0] for n in range(4000)}
    sinks = {str(n): node("ImageBlend", **wide) for n in range(40)} | {f"s{n}": node("KSampler", latent_image=["0", 0])
                                                                      for n in range(3000)}  # fmt: skip
    looped = {"id": "l", "inputs": [{"name": "image"}], "nodes": [drawn(n, "l") for n in range(300)], "links": []}
    return {
        "chain": every,
        "wide": sinks,
        "deep": {"nodes": [drawn(n, "l") for n in range(300)], "links": [], "definitions": {"subgraphs": [looped]}},
        "muted": {"nodes": [drawn(n, "l") for n in range(5000)], "links": [], "definitions": {"subgraphs": [
            {"id": "l", "nodes": [drawn(n, "x") | {"mode": 2} for n in range(2000)], "links": []}]}},
    }  # fmt: skip


@pytest.mark.parametrize("name", _hostile())
def test_hostile_graphs_cost_bounded_time(name: str) -> None:
    data = png(workflow=json.dumps(_hostile()[name]))
    started = time.process_time()
    examine(data)
    assert time.process_time() - started < 8


_SCALARS = (
    st.none() | st.booleans() | st.integers(-20, 20) | st.sampled_from(["IMAGE", "LATENT", "a.png", "l", "-10", ""])
)
_LINKS = st.lists(st.lists(_SCALARS, max_size=6) | st.dictionaries(
    st.sampled_from(["id", "origin_id", "origin_slot", "target_id", "target_slot"]), _SCALARS), max_size=6)  # fmt: skip
_NODES = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "type", "mode", "inputs", "outputs", "widgets_values", "index"]),
        _SCALARS | st.lists(st.dictionaries(st.sampled_from(["name", "type", "link", "widget"]), _SCALARS), max_size=3),
    ),
    max_size=6,
)
_GRAPHS = st.fixed_dictionaries({"nodes": _NODES, "links": _LINKS})


@given(_GRAPHS, _GRAPHS, st.sampled_from(["l", "x"]))
@settings(max_examples=150, deadline=None)
def test_no_editors_graph_makes_it_fail(outer: dict[str, Any], inner: dict[str, Any], name: str) -> None:
    graph = outer | {
        "definitions": {"subgraphs": [inner | {"id": name, "inputs": [{"name": "image"}]}]},
        "extra": {"groupNodes": {"g": inner}},
    }
    nodes = graphs.read_graph(graph).nodes
    list(graphs.lines(nodes, graphs.Flow(nodes)))
