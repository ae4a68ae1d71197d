"""What an ONNX file may hold before a runtime sees it: standard operators, no files beside it, no loops, no chance.

The Protocol Buffers wire format is walked here, tensors skipped by their length, so that looking costs nothing and runs
nothing. Field numbers are those of ``onnx.proto3``. The allowed operators are those of networks that look at a picture
once; what draws random numbers, loops or branches is refused, so that one picture always gives one score, in bounded
time.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsfwforensics.core.messages import say
from nsfwforensics.errors import WeightsError

MAX_NODES = 20_000
MAX_ELEMENTS = 1 << 28

ALLOWED = frozenset(
    {
        "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Celu",
        "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "CumSum",
        "DepthToSpace", "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Einsum", "Elu", "Equal",
        "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm",
        "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GridSample", "GroupNormalization",
        "HardSigmoid", "HardSwish", "Hardmax", "Identity", "InstanceNormalization", "LRN", "LayerNormalization",
        "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "LpPool", "MatMul",
        "MatMulInteger", "Max", "MaxPool", "Mean", "MeanVarianceNormalization", "Min", "Mish", "Mod", "Mul", "Neg",
        "Not", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "Range", "Reciprocal",
        "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
        "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "Selu", "Shape", "Sigmoid", "Sign",
        "Sin", "Size", "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze",
        "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Unsqueeze", "Upsample",
        "Where", "Xor",
    }
)  # fmt: skip
"""Operators of the standard domain that a detector may use."""

_STANDARD = ("", "ai.onnx")
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

_BROKEN = say("it is no readable ONNX model: its structure breaks off")


def check_onnx(data: bytes) -> None:
    """Looks through an ONNX model without running it.

    Args:
        data: The file.

    Raises:
        WeightsError: It is no ONNX model, or holds what is not allowed.
    """
    graphs = 0
    for field, value in _fields(memoryview(data)):
        if field == 7:
            graphs += 1
            _graph(_part(value))
        elif field == 8:
            _refuse_domain(_text(_part(value), 1))
        elif field == 20:
            raise WeightsError(say("the ONNX model holds training steps, which are not run"))
        elif field == 25:
            raise WeightsError(say("the ONNX model defines functions of its own, which are not run"))
    if graphs != 1:
        raise WeightsError(say("it is no ONNX model: there is no network in it"))


def _graph(graph: memoryview) -> None:
    nodes = 0
    for field, value in _fields(graph):
        if field == 1:
            nodes += 1
            _node(_part(value))
        elif field == 5:
            _tensor(_part(value))
        elif field == 15:
            raise WeightsError(say("the ONNX model holds sparse tensors, which are not supported"))
    if nodes > MAX_NODES:
        raise WeightsError(say("the ONNX model has {count:,} steps, more than are allowed", count=nodes))


def _node(node: memoryview) -> None:
    inputs, kind = 0, ""
    for field, value in _fields(node):
        if field == 1:
            inputs += 1
        elif field == 4:
            kind = _decoded(_part(value))
        elif field == 5:
            _attribute(_part(value))
        elif field == 7:
            _refuse_domain(_decoded(_part(value)))
    if kind not in ALLOWED:
        problem = say("the ONNX model uses the operator “{operator}”, which is not allowed", operator=kind[:60])
        raise WeightsError(problem)
    if kind == "Dropout" and inputs > 2:
        raise WeightsError(say("the ONNX model can drop values at random; export it for inference"))


def _attribute(attribute: memoryview) -> None:
    for field, value in _fields(attribute):
        if field in (6, 11):
            raise WeightsError(say("the ONNX model branches or loops, which is not allowed"))
        if field in (5, 10):
            _tensor(_part(value))
        elif field in (22, 23):
            raise WeightsError(say("the ONNX model holds sparse tensors, which are not supported"))


def _tensor(tensor: memoryview) -> None:
    elements = 1
    for field, value in _fields(tensor):
        if field == 1:
            for side in [value] if isinstance(value, int) else _varints(value):
                if side >= 1 << 63:
                    raise WeightsError(say("the ONNX model holds a tensor of an impossible size"))
                elements *= side
        elif field == 13 or (field == 14 and value != 0):
            raise WeightsError(say("the ONNX model wants a second file beside it, which is not opened"))
        if elements > MAX_ELEMENTS:
            raise WeightsError(say("the ONNX model holds a tensor of {count:,} numbers, too many", count=elements))


def _refuse_domain(domain: str) -> None:
    if domain not in _STANDARD:
        raise WeightsError(
            say("the ONNX model uses operators of “{domain}”, not only standard ones", domain=domain[:60])
        )


def _text(message: memoryview, wanted: int) -> str:
    return next((_decoded(_part(value)) for field, value in _fields(message) if field == wanted), "")


def _decoded(part: memoryview) -> str:
    return bytes(part[:200]).decode("utf-8", "replace")


def _part(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise WeightsError(_BROKEN)
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values of one message: numbers for varints, bytes for everything else."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        field, wire = key >> 3, key & 7
        if field == 0:
            raise WeightsError(_BROKEN)
        if wire == _VARINT:
            number, place = _varint(message, place)
            yield field, number
            continue
        if wire == _BYTES:
            length, place = _varint(message, place)
        elif wire in (_EIGHT, _FOUR):
            length = 8 if wire == _EIGHT else 4
        else:
            raise WeightsError(_BROKEN)
        if length > end - place:
            raise WeightsError(_BROKEN)
        yield field, message[place : place + length]
        place += length


def _varints(packed: memoryview) -> Iterator[int]:
    place = 0
    while place < len(packed):
        number, place = _varint(packed, place)
        yield number


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (1 << 64) - 1, place
    raise WeightsError(_BROKEN)
