"""Graphs of nodes (ComfyUI as sent and as its editor keeps them, InvokeAI): what flowed into what, as lines for rules.

A graph is read into nodes with ``class_type`` and ``inputs``, where a connection is ``[node, output]``. Subgraphs and
group nodes are laid open, what was switched off is left out, and what was bypassed is passed through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nsfwforensics.analyzers.provenance.rules import nodes as known
from nsfwforensics.formats.json_text import json_object, one_line

MAX_NODES = 5_000
MAX_LOOKED_AT = 20_000
"""Most nodes and outputs of subgraphs that are gone through while they are laid open."""
MAX_DEPTH = 8
"""How deep subgraphs may lie in each other."""
MAX_WALK = 100_000
"""Most connections that are followed for one graph."""

FROM_PICTURE = "(starts from a loaded picture)"
INPAINTED = "(a part of a loaded picture is drawn anew)"
INSTRUCTED = "(a loaded picture is changed by written instruction)"
SERVED = "(a loaded picture is changed by a service or a model of its own)"
PROCESSED = "(a loaded picture is saved without being generated anew)"
FACE_GIVEN = "(a person's face is given to the generator)"
FACE_SWAPPED = "(a face is put into a picture)"
"""Lines that say what became of loaded pictures; a node's name never begins with a bracket there."""

Node = dict[str, Any]
_MUTED, _BYPASSED = 2, 4
_GIVEN, _GIVES = "-10", "-20"
"""What stands inside a subgraph for what it is given, and for what it gives."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph as it was read.

    Attributes:
        nodes: By identifier, those that were switched on; empty where it is no graph.
        run: Whether this is the graph as it was run, not as an editor keeps it.
        complete: False where a limit was reached.
    """

    nodes: dict[str, Node]
    run: bool = False
    complete: bool = True


def read_graph(found: dict[str, Any]) -> Graph:
    """Reads a graph, or an object with one under ``prompt`` or ``workflow``."""
    for candidate in (found, found.get("prompt"), found.get("workflow")):
        graph = json_object(candidate) if isinstance(candidate, str) else candidate
        if not isinstance(graph, dict):
            continue
        sent = {str(key): node for key, node in graph.items() if isinstance(node, dict) and "class_type" in node}
        if sent:
            on = [(key, node) for key, node in sent.items() if inputs_of(node).get("enabled") is not False]
            return Graph(dict(on[:MAX_NODES]), run=True, complete=len(on) <= MAX_NODES)
        if isinstance(graph.get("nodes"), list) and "links" in graph:
            editor = _Editor(graph)
            full = len(editor.nodes) >= MAX_NODES or editor.looked_at > MAX_LOOKED_AT
            return Graph(editor.nodes, complete=not full)
        if isinstance(graph.get("nodes"), dict) and isinstance(graph.get("edges"), list):
            return Graph(_invocations(graph), run=True, complete=len(graph["nodes"]) <= MAX_NODES)
    return Graph({})


def inputs_of(node: Node) -> dict[str, Any]:
    """A node's inputs; empty where they are not an object."""
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def lines(nodes: dict[str, Node], flow: Flow) -> Iterator[str]:
    """Every class, every value of it as ``class.input: value``, then what became of loaded pictures."""
    for node in nodes.values():
        name = one_line(node["class_type"]).lstrip("(")
        if not name:  # what was bypassed
            continue
        yield name
        for key, value in inputs_of(node).items():
            if not isinstance(value, (dict, list)):
                yield f"{name}.{one_line(key)}: {one_line(value)}"
    yield from flow.said()


def _invocations(graph: dict[str, Any]) -> dict[str, Node]:
    """InvokeAI's graph: nodes with their values, and edges between them."""
    nodes: dict[str, Node] = {}
    for key, node in list(graph["nodes"].items())[:MAX_NODES]:
        if isinstance(node, dict) and isinstance(node.get("type"), str):
            values = {name: _named(value) for name, value in node.items() if name not in ("type", "id")}
            nodes[str(key)] = {"class_type": node["type"], "inputs": values}
    for edge in graph["edges"][: 4 * MAX_NODES]:
        source, target = (_end(edge, name) for name in ("source", "destination"))
        if source and target and target[0] in nodes:
            nodes[target[0]]["inputs"][target[1]] = [source[0], source[1]]
    return nodes


def _named(value: Any) -> Any:
    return value.get("image_name", value) if isinstance(value, dict) else value


def _end(edge: Any, name: str) -> tuple[str, str] | None:
    end = edge.get(name) if isinstance(edge, dict) else None
    return (str(end.get("node_id")), str(end.get("field"))) if isinstance(end, dict) else None


class _Sheet:
    """One graph as an editor draws it: the file's, a subgraph's or a group node's; it may be used many times."""

    def __init__(self, graph: dict[str, Any]) -> None:
        self.graph = graph

    @cached_property
    def nodes(self) -> list[Node]:
        return [node for node in _list(self.graph.get("nodes")) if isinstance(node, dict) and "type" in node]

    @cached_property
    def links(self) -> dict[str, list[Any]]:
        return dict(_links(self.graph))

    @cached_property
    def outputs(self) -> list[tuple[int, Any, Any]]:
        return list(_given_out(self.graph))


class _Editor:
    """A graph as ComfyUI's editor keeps it, laid open into nodes as they would be sent."""

    def __init__(self, graph: dict[str, Any]) -> None:
        self.nodes: dict[str, Node] = {}
        self.looked_at = 0
        self._inner: dict[str, _Sheet] = {}
        definitions, extra = graph.get("definitions"), graph.get("extra")
        for each in _list(_of(definitions, "subgraphs")):
            if isinstance(each, dict):
                self._inner[str(each.get("id"))] = _Sheet(each)
        groups = _of(extra, "groupNodes")
        for name, each in (groups if isinstance(groups, dict) else {}).items():
            if isinstance(each, dict):  # how subgraphs were kept before there were any
                self._inner |= dict.fromkeys((f"workflow/{name}", f"workflow>{name}"), _Sheet(each))
        self._lay_open(_Sheet(graph), "", 0)
        self._broadcast()

    def _lay_open(self, sheet: _Sheet, place: str, depth: int) -> None:
        drawn = sheet.nodes
        self.looked_at += len(drawn)
        if self.looked_at > MAX_LOOKED_AT:
            return
        names = [f"{place}{node.get('id', node.get('index', number))}" for number, node in enumerate(drawn)]
        opened = {
            name: self._inner[str(node["type"])] for name, node in zip(names, drawn, strict=True)
            if str(node["type"]) in self._inner and node.get("mode") != _BYPASSED and depth < MAX_DEPTH
        }  # fmt: skip
        for name, node in zip(names, drawn, strict=True):
            if len(self.nodes) >= MAX_NODES:
                return
            if node.get("mode") == _MUTED:
                continue
            inputs = self._inputs(node, sheet, place, opened)
            hidden = node.get("mode") == _BYPASSED or name in opened  # what lies inside says what it does
            self.nodes[name] = {
                "class_type": "" if hidden else str(node["type"]), "inputs": inputs, "types": _types(node),
                "outputs": [str(_of(each, "type")).upper() for each in _list(node.get("outputs"))],
            }  # fmt: skip
            if name in opened:
                self._lay_open(opened[name], f"{name}:", depth + 1)
                self._join(name, inputs, opened[name])

    def _inputs(self, node: Node, sheet: _Sheet, place: str, opened: dict[str, _Sheet]) -> Node:
        links, inputs, widgets = sheet.links, {}, []
        for number, each in enumerate(_list(node.get("inputs"))):
            link = links.get(str(_of(each, "link"))) or links.get(f"{node.get('index')} {number}")
            if isinstance(_of(each, "widget"), dict):
                widgets.append(str(each.get("name")))
            if link is None and "external" in sheet.graph and str(_of(each, "type")).upper() in known.PIXELS:
                inputs[str(_of(each, "name"))] = [f"{place}{_GIVEN}", 0]
            elif link is not None:
                source = f"{place}{link[0]}"
                apart = source in opened or str(link[0]) == _GIVEN
                inputs[str(_of(each, "name"))] = [f"{source} {link[1]}", 0] if apart else [source, link[1]]
        values = node.get("widgets_values")
        if isinstance(values, dict):
            return {str(key): value for key, value in values.items()} | inputs
        for number, value in enumerate(_list(values)):
            # Which value belongs to which input is only stated where every widget is listed.
            key = widgets[number] if len(widgets) == len(_list(values)) else f"widget {number}"
            if not is_link(value):
                inputs.setdefault(key, value)
        return inputs

    def _join(self, name: str, inputs: Node, inner: _Sheet) -> None:
        """Nodes that pass on what a subgraph is given, and what it gives, by the number of the connection."""
        given = [value for value in inputs.values() if is_link(value)]
        if "inputs" in inner.graph:
            for number, each in enumerate(_list(inner.graph["inputs"])):
                if is_link(source := inputs.get(str(_of(each, "name")))):
                    self._passing(f"{name}:{_GIVEN} {number}", [source])
            self.looked_at += len(inner.outputs)
            if self.looked_at <= MAX_LOOKED_AT:
                for number, source, slot in inner.outputs:
                    whole = f"{name}:{source}"
                    self._passing(f"{name} {number}", [[whole, 0], [f"{whole} {slot}", 0]])  # the second: a subgraph's
            return
        # An older group node does not say which of its nodes gets what, and which gives what.
        self._passing(f"{name}:{_GIVEN}", given)
        held = range(len(inner.nodes))
        self.looked_at += len(held) ** 2
        if self.looked_at <= MAX_LOOKED_AT:
            for number in held:
                self._passing(f"{name} {number}", [[f"{name}:{each}", 0] for each in held])

    def _passing(self, name: str, sources: list[Any]) -> None:
        if len(self.nodes) < MAX_NODES:
            self.nodes[name] = {"class_type": "", "inputs": {f"passed {n}": each for n, each in enumerate(sources)}}

    def _broadcast(self) -> None:
        """KJNodes' ``GetNode`` gives what ``SetNode`` was given under the same name."""
        named: dict[str, list[Any]] = {}
        for node in self.nodes.values():
            source = next((value for value in node["inputs"].values() if is_link(value)), None)
            if node["class_type"] == "SetNode" and source:
                named[_label(node)] = source
        for node in self.nodes.values():
            if node["class_type"] == "GetNode" and (source := named.get(_label(node))):
                node["inputs"]["passed"] = source


def _label(node: Node) -> str:
    return str(next((value for value in node["inputs"].values() if isinstance(value, str)), ""))


def _list(value: Any) -> list[Any]:
    return value[:MAX_NODES] if isinstance(value, list) else []


def _of(each: Any, key: str) -> Any:
    return each.get(key) if isinstance(each, dict) else None


def _types(node: Node) -> dict[str, str]:
    return {
        str(_of(each, "name")): str(_of(each, "type") or "").upper()
        for each in _list(node.get("inputs")) if isinstance(_of(each, "type"), str)
    }  # fmt: skip


def _links(graph: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Connections by number (in group nodes: by node and input): the node and output that they come from."""
    links = graph.get("links")
    grouped = "external" in graph
    for link in links[: 4 * MAX_NODES] if isinstance(links, list) else ():
        if isinstance(link, dict):
            yield str(link.get("id")), [link.get("origin_id"), link.get("origin_slot")]
        elif isinstance(link, list) and len(link) >= 5:
            if not grouped:
                yield str(link[0]), link[1:3]
            elif link[0] is not None:
                yield f"{link[2]} {link[3]}", link[:2]


def _given_out(graph: dict[str, Any]) -> Iterator[tuple[int, Any, Any]]:
    """What a subgraph gives: number of the output, and the node and output inside that it comes from."""
    for link in _list(graph.get("links")):
        if isinstance(link, dict) and str(link.get("target_id")) == _GIVES:
            yield link.get("target_slot", 0), link.get("origin_id"), link.get("origin_slot")
        elif isinstance(link, list) and len(link) >= 5 and str(link[3]) == _GIVES:
            yield link[4], link[1], link[2]


def is_link(value: Any) -> bool:
    """Whether an input's value is a connection: the name of a node and which of its outputs."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], (str, int)) and not isinstance(
        value[0], bool
    ) and isinstance(value[1], (int, str))  # fmt: skip


class Flow:
    """Follows what flows into what, backwards from the nodes that make a picture.

    Attributes:
        left: How many connections may still be followed; at 0 something may have been missed.
    """

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.left = MAX_WALK
        self._nodes = nodes
        self._ways: dict[str, list[str]] = {}
        self._ends: dict[str, str] = {}

    def said(self) -> list[str]:
        """The lines that say what became of loaded pictures, each once."""
        found = {line for name, node in self._nodes.items() for line in self._about(name, node)}
        makers = (samples(node) or known.SERVES.search(kind_of(node)) for node in self._nodes.values())
        if not found and not any(makers):
            saved = (name for name, node in self._nodes.items() if "save" in kind_of(node).lower())
            found |= {PROCESSED for name in saved if self._given(name)}
        return sorted(found)

    def _about(self, name: str, node: Node) -> Iterator[str]:
        kind = kind_of(node)
        if not kind:
            return
        guides = known.GUIDES.search(kind)
        if swaps(node):
            yield FACE_SWAPPED
        elif (known.GIVES_FACE.search(kind) or self._adapts_face(kind)) and self._given(name, guided=False):
            yield FACE_GIVEN
        if known.INSTRUCTED.search(kind):
            if self._given(name):
                yield INSTRUCTED
        elif samples(node) or known.INPAINTS.search(kind):
            if not guides and (path := self._given(name)):
                masked = any("mask" in str(key) and is_link(value) for key, value in inputs_of(node).items())
                inpaints = masked or any(known.INPAINTS.search(each) for each in path)
                yield INPAINTED if inpaints else FROM_PICTURE
        elif self._serves(name) and self._given(name):
            yield INSTRUCTED if any(known.PROMPTS.search(str(key)) for key in inputs_of(node)) else SERVED

    def _adapts_face(self, kind: str) -> bool:
        return bool(known.ADAPTS.search(kind)) and self._face_adapter

    @cached_property
    def _face_adapter(self) -> bool:
        return any(
            isinstance(value, str) and known.FACE_ADAPTER.search(value)
            for node in self._nodes.values() if known.ADAPTS.search(kind_of(node))
            for value in inputs_of(node).values()
        )  # fmt: skip

    def _serves(self, name: str) -> bool:
        """Whether a node makes a picture of one that it is given: named for it, or told what to do in words."""
        node = self._nodes[name]
        kind = kind_of(node)
        named = known.SERVES.search(kind)
        told = not known.READS.search(kind) and any(known.PROMPTS.search(str(key)) for key in inputs_of(node))
        if not (named or told) or known.GUIDES.search(kind) or known.INPAINTS.search(kind):
            return False
        if outputs := node.get("outputs"):
            return any(each in ("IMAGE", "VIDEO", "LATENT") for each in outputs)
        if used := self._used.get(name):
            return any(known.SHOWN_AS.search(each) for each in used)
        return bool(named) and not known.READS.search(kind)

    @cached_property
    def _used(self) -> dict[str, set[str]]:
        """By node, the names of the inputs that take what it gives."""
        used: dict[str, set[str]] = {}
        for node in self._nodes.values():
            for key, value in inputs_of(node).items():
                if is_link(value):
                    used.setdefault(str(value[0]), set()).add(_last(key))
        return used

    def _given(self, start: str, *, guided: bool = True) -> list[str]:
        """The classes on the way from a node back to a loaded picture; empty where there is no such way.

        Args:
            start: The node to begin at; one that holds a picture itself is such a way.
            guided: False to follow what only guides at the first node, such as a face.
        """
        first = self._nodes[start]
        if self._end(start) == _LOADED and not known.LOADS_PICTURE.search(kind_of(first)):
            return [kind_of(first)]
        sources = self._sources(start) if guided else [source for _, source in _taken(first)]
        ways: list[tuple[str, tuple[str, ...]]] = [(source, (kind_of(first),)) for source in sources]
        seen: set[str] = {start}
        while ways and self.left > 0:
            name, path = ways.pop()
            self.left -= 1
            if name in seen or name not in self._nodes:
                continue
            seen.add(name)
            kind = kind_of(self._nodes[name])
            if self._end(name) == _LOADED:
                return [*path, kind]
            if self._end(name) == _MADE:
                continue  # a blank canvas, or a picture that was made there: its own start is looked at by itself
            way = (*path, kind) if kind and len(path) < 100 else path
            sources = self._sources(name)
            self.left -= len(sources)
            ways += [(source, way) for source in sources]
        return []

    def _end(self, name: str) -> str:
        """Whether the way back ends at a node, and why."""
        if name not in self._ends:
            node = self._nodes[name]
            kind = kind_of(node)
            self._ends[name] = (
                _LOADED if loads(node)
                else _MADE if known.EMPTY.search(kind) or samples(node) or self._serves(name)
                else ""
            )  # fmt: skip
        return self._ends[name]

    def _sources(self, name: str) -> list[str]:
        """The nodes from which a node may be given pixels; not what only guides it."""
        if name not in self._ways:
            node = self._nodes[name]
            guides = known.GUIDES.search(kind_of(node))
            self._ways[name] = [
                source for key, source in _taken(node)
                if not (guides and known.SHOWN_AS.search(key) and not key.startswith(("latent", "samples")))
            ]  # fmt: skip
        return self._ways[name]


_LOADED, _MADE = "loaded", "made"


def _taken(node: Node) -> Iterator[tuple[str, str]]:
    """Inputs that may carry pixels: their names, and the nodes from which they come."""
    types = node.get("types") or {}
    for key, value in inputs_of(node).items():
        if not is_link(value):
            continue
        stated = types.get(str(key), "")
        named = stated in ("", "*")
        if not known.NOT_PIXELS.match(_last(key)) if named else stated in known.PIXELS or stated.endswith("PIPE"):
            yield _last(key), str(value[0])


def _last(key: object) -> str:
    """The name of an input inside a group of inputs (``model.images.image_1``)."""
    return str(key).rsplit(".", 1)[-1]


def kind_of(node: Node) -> str:
    """A node's class as text; empty for one that only passes on."""
    return str(node.get("class_type", ""))[:200]


def loads(node: Node) -> bool:
    """Whether a node brings a picture in from outside."""
    kind = kind_of(node)
    if not kind or "save" in kind.lower() or any(known.SHOWN_AS.search(key) for key, _ in _taken(node)):
        return False
    for key, value in inputs_of(node).items():
        if isinstance(value, str) and key != "filename_prefix":
            if known.PICTURE_FILE.search(value[-200:] if len(value) < 4096 else value[:200]):
                return True
            if known.WEB_ADDRESS.match(value) and known.PICTURE_PLACE.search(str(key)):
                return True
    return bool(known.LOADS_PICTURE.search(kind)) and not known.LOADS_MODEL.search(kind)


def samples(node: Node) -> bool:
    """Whether a node draws a picture from noise or from another picture."""
    kind, keys = kind_of(node), inputs_of(node).keys()
    if known.SAMPLES.search(kind):
        return True
    takes_model = any(key in keys for key in ("model", "transformer", "pipe", "basic_pipe"))
    return takes_model and all(keys & wanted for wanted in known.DRAWS)


def swaps(node: Node) -> bool:
    """Whether a node puts a face into a picture; one that is switched off does not."""
    kind, inputs = kind_of(node), inputs_of(node)
    if inputs.get("enabled", inputs.get("widget 0")) is False:
        return False
    if known.SWAPS.search(kind) and not known.NO_SWAP.search(kind):
        return True
    return any(isinstance(inputs.get(key), str) and known.SWAP_MODEL.search(inputs[key])
               for key in ("swap_model", "face_swapper_model"))  # fmt: skip
