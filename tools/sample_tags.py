"""What the samples say about themselves: a camera that does not exist, a generator's settings."""

from __future__ import annotations

from exif_writer import Value

PROMPT = (
    "rolling hills at dusk, soft light, flat colours\n"
    "Negative prompt: people, text, watermark\n"
    "Steps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 1234567890, Size: 384x384, "
    "Model hash: 0123456789, Model: example-model, Version: v1.10.1"
)


def camera_tags() -> tuple[dict[int, Value], dict[int, Value], dict[int, Value]]:
    """IFD0, Exif and GPS tags of a camera that does not exist, owned by nobody, at a place open to visitors."""
    ifd0: dict[int, Value] = {
        0x010F: "Halden Optics",
        0x0110: "Halden HX-2",
        0x0112: 1,
        0x011A: [(72, 1)],
        0x011B: [(72, 1)],
        0x0128: 2,
        0x0131: "HX-2 firmware 1.3.0",
        0x0132: "2025:06:14 15:20:41",
        0x013B: "Sample Photographer",
        0x8298: "Sample Photographer",
    }
    exif: dict[int, Value] = {
        0x829A: [(1, 160)],
        0x829D: [(28, 10)],
        0x8822: 2,
        0x8827: 200,
        0x9000: b"0232",
        0x9003: "2025:06:14 15:20:41",
        0x9004: "2025:06:14 15:20:41",
        0x9010: "-05:00",
        0x9011: "-05:00",
        0x9012: "-05:00",
        0x9209: 0,
        0x920A: [(85, 1)],
        0xA001: 1,
        0xA430: "Sample Owner",
        0xA431: "HX2-0042137",
        0xA433: "Halden Optics",
        0xA434: "Halden 85mm f/1.8",
        0xA435: "L85-0099841",
    }
    gps: dict[int, Value] = {
        0x0000: (2, 3, 0, 0),
        0x0001: "N",
        0x0002: [(29, 1), (33, 1), (3348, 100)],
        0x0003: "W",
        0x0004: [(95, 1), (5, 1), (2328, 100)],
        0x0005: (0,),
        0x0006: [(6, 1)],
        0x0007: [(20, 1), (20, 1), (39, 1)],
        0x0012: "WGS-84",
        0x001D: "2025:06:14",
    }
    return ifd0, exif, gps
