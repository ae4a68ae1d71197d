"""The test that every analyzer must pass, ours or a third party's. Needs pytest.

Example:
    >>> from nsfwforensics.testing import AnalyzerContract
    >>> class TestMyAnalyzer(AnalyzerContract):
    ...     analyzer = MyAnalyzer
"""

from __future__ import annotations

import io
import os
import pickle
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nsfwforensics.core.analyzer import Analyzer, BaseAnalyzer, BatchAnalyzer, Outcome, Resources
from nsfwforensics.core.evidence import Evidence
from nsfwforensics.core.figures import Figure, unnamed
from nsfwforensics.core.messages import placeholders
from nsfwforensics.core.storable import storable
from nsfwforensics.core.types import AnalyzerResult, AnalyzerStatus
from nsfwforensics.errors import EvidenceError
from nsfwforensics.language import brought


def _picture(width: int, height: int, mode: str = "RGB") -> Any:
    """A smooth, coloured, slightly noisy picture; the same for the same size."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(width * 1_000_003 + height)
    x = np.linspace(0.0, 1.0, width)[None, :, None]
    y = np.linspace(0.0, 1.0, height)[:, None, None]
    waves = np.sin(6.0 * x + np.array([0.0, 1.0, 2.0])) * np.cos(5.0 * y + np.array([0.5, 0.0, 1.5]))
    pixels = 127.5 + 100.0 * waves + generator.normal(0.0, 6.0, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert(mode)


def _saved(image: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _sixteen_bit() -> bytes:
    import numpy as np
    from PIL import Image

    ramp = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(np.uint16)
    return _saved(Image.fromarray(ramp), "PNG")


def _turned() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return _saved(_picture(320, 200), "JPEG", exif=exif)


def _truncated() -> bytes:
    whole = _saved(_picture(640, 480), "JPEG", quality=90)
    return whole[: len(whole) // 2]


_BUILDERS: Mapping[str, Callable[[], bytes]] = {
    "plain.jpg": lambda: _saved(_picture(640, 480), "JPEG", quality=90),
    "turned.jpg": _turned,
    "truncated.jpg": _truncated,
    "cmyk.jpg": lambda: _saved(_picture(300, 200, "CMYK"), "JPEG"),
    "gray.jpg": lambda: _saved(_picture(300, 200, "L"), "JPEG"),
    "progressive.jpg": lambda: _saved(_picture(300, 200), "JPEG", progressive=True),
    "sixteen-bit.png": _sixteen_bit,
    "palette.png": lambda: _saved(_picture(300, 200, "P"), "PNG", transparency=0),
    "alpha.png": lambda: _saved(_picture(300, 200, "RGBA"), "PNG"),
    "bilevel.tif": lambda: _saved(_picture(300, 200, "1"), "TIFF"),
    "float.tif": lambda: _saved(_picture(300, 200, "F"), "TIFF"),
    "lossless.webp": lambda: _saved(_picture(300, 200, "RGBA"), "WEBP", lossless=True),
    "plain.bmp": lambda: _saved(_picture(300, 200), "BMP"),
    "plain.avif": lambda: _saved(_picture(300, 200), "AVIF"),
    "animated.gif": lambda: _saved(
        _picture(120, 90), "GIF", save_all=True, append_images=[_picture(120, 90, "L"), _picture(120, 91)]
    ),
    "animated.webp": lambda: _saved(
        _picture(120, 90), "WEBP", save_all=True, append_images=[_picture(120, 90).rotate(90)]
    ),
    "one-pixel.png": lambda: _saved(_picture(1, 1), "PNG"),
    "one-pixel.jpg": lambda: _saved(_picture(1, 1), "JPEG"),
    "very-wide.png": lambda: _saved(_picture(30_000, 10), "PNG"),
    "very-tall.jpg": lambda: _saved(_picture(10, 30_000), "JPEG"),
    "flat.png": lambda: _saved(_picture(300, 300).point(lambda _: 128), "PNG"),
}

_UNDECODABLE: Mapping[str, Callable[[], bytes]] = {
    "zero-byte.jpg": bytes,
    "header-only.jpg": lambda: _saved(_picture(64, 64), "JPEG")[:300],
    "header-only.png": lambda: _saved(_picture(64, 64), "PNG")[:45],
    "noise.webp": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(range(256)) * 4,
    "noise.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(range(256)) * 4,
}

PICTURES = tuple(_BUILDERS)
UNDECODABLE = tuple(_UNDECODABLE)


@cache
def contract_file(name: str) -> bytes:
    """The bytes of one of the contract's files, by a name out of :data:`PICTURES` or :data:`UNDECODABLE`."""
    return {**_BUILDERS, **_UNDECODABLE}[name]()


class AnalyzerContract:
    """Subclass it, name the analyzer, and pytest runs every rule of the house over it.

    Attributes:
        analyzer: The class under test.
        options: Options to run it with.
    """

    analyzer: ClassVar[type[BaseAnalyzer]]
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> BaseAnalyzer:
        """A fresh instance, enrolled as a run would enrol it."""
        options = self.analyzer.Options.model_validate(dict(self.options))
        resources = Resources()
        return self.analyzer(options, resources, self.analyzer.enrol(options, resources))

    def outcome(self, evidence: Evidence) -> Outcome:
        """Runs the analyzer as a plan would, through all of its stages."""
        analyzer = self.make()
        try:
            if isinstance(analyzer, BatchAnalyzer):
                samples = analyzer.prepare(evidence)
                if isinstance(samples, Outcome):
                    return samples
                samples = pickle.loads(pickle.dumps(samples))  # nosec B301  # noqa: S301 - our own bytes
                (scores,) = analyzer.infer([samples])
                return analyzer.conclude(evidence.info(), scores)
            assert isinstance(analyzer, Analyzer)
            return analyzer.examine(evidence)
        except EvidenceError as error:
            return Outcome.failed(error.message)

    def test_it_describes_itself(self) -> None:
        """Name, version, title, question and every code are filled in and well formed."""
        analyzer = self.analyzer
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", analyzer.name)
        assert re.fullmatch(r"\d+(\.\d+)*", analyzer.version)
        assert analyzer.title and analyzer.__doc__ and analyzer.question.wording
        for code, entry in analyzer.codes.items():
            assert re.fullmatch(r"[A-Z][A-Z0-9]{1,9}-[0-9]{3}", code)
            assert entry.title and entry.caveat, f"{code} needs a title and a caveat"
        for name, field in analyzer.Options.model_fields.items():
            assert field.description, f"option {name} needs a description: it is its help text"

    def test_what_is_shown_of_it_can_be_said_in_other_languages(self) -> None:
        """Figures have names without values, charts belong to its kind of code, translations hold the same values."""
        analyzer = self.analyzer
        for key, figure in analyzer.figures.items():
            said = [figure.name, *figure.words.values()] if isinstance(figure, Figure) else [figure]
            assert all(said), f"figure {key} has an empty name"
            assert not any(map(placeholders, said)), f"figure {key}: values in it cannot be filled"
        areas = {code.partition("-")[0] for code in analyzer.codes}
        for chart in analyzer.charts:
            codes = {*chart.codes, *getattr(chart, "conflicts", ())}
            strange = {code for code in codes if code.partition("-")[0] not in areas}  # earlier versions had others
            assert not strange, f"a chart for {', '.join(sorted(strange))}"
        package = analyzer.__module__.rpartition(".")[0]
        for code, messages in brought(package).items() if package else ():
            for english, translated in messages.items():
                forms = [translated] if isinstance(translated, str) else translated[1:]
                for form in forms:
                    assert placeholders(form) <= placeholders(english), f"{code}: other values in: {form}"

    @pytest.mark.parametrize("name", PICTURES)
    def test_it_copes_with_every_kind_of_picture(self, name: str) -> None:
        """No picture that decodes makes it fail; what it returns is well formed and can be stored."""
        evidence = Evidence.from_bytes(contract_file(name), name)
        outcome = self.outcome(evidence)
        assert outcome.status is not AnalyzerStatus.FAILED, outcome.reason
        self.check(outcome)

    @pytest.mark.parametrize("name", UNDECODABLE)
    def test_an_undecodable_picture_is_an_outcome(self, name: str) -> None:
        """A picture that cannot be decoded raises nothing but EvidenceError."""
        outcome = self.outcome(Evidence.from_bytes(contract_file(name), name))
        self.check(outcome)

    def test_the_same_bytes_give_the_same_outcome(self) -> None:
        """Two instances agree on one file."""
        first, second = (self.outcome(Evidence.from_bytes(contract_file("plain.jpg"), "plain.jpg")) for _ in range(2))
        assert first == second

    def test_the_evidence_is_not_touched(self, tmp_path: Path) -> None:
        """The file keeps its bytes and times, and nothing appears beside it."""
        path = tmp_path / "evidence.jpg"
        path.write_bytes(contract_file("plain.jpg"))
        os.utime(path, (1_000_000_000, 1_000_000_000))
        self.outcome(Evidence.open(path))
        assert path.read_bytes() == contract_file("plain.jpg")
        assert path.stat().st_mtime == 1_000_000_000
        assert list(tmp_path.iterdir()) == [path]

    def check(self, outcome: Outcome) -> None:
        """What must hold for any outcome."""
        if outcome.status in (
            AnalyzerStatus.FAILED,
            AnalyzerStatus.MEASURED,
            AnalyzerStatus.NOT_APPLICABLE,
            AnalyzerStatus.NOT_AVAILABLE,
        ):
            assert outcome.reason, f"{outcome.status} needs a reason"
        assert (outcome.status is AnalyzerStatus.OK) == bool(outcome.findings)
        nameless = set(unnamed(outcome.measurements, self.analyzer.figures))
        for finding in outcome.findings:
            nameless |= set(unnamed(finding.data, self.analyzer.figures))
            assert finding.code in self.analyzer.codes
            assert finding.explanation.strip() and finding.caveat.strip()
        assert not nameless, f"figures without a name: {', '.join(sorted(nameless))}"
        result = AnalyzerResult.model_validate(
            {
                "analyzer": self.analyzer.name,
                "version": self.analyzer.version,
                "origin": "test",
                "question": self.analyzer.question,
                "status": outcome.status,
                "findings": [finding.model_dump() for finding in outcome.findings],
                "measurements": storable(outcome.measurements),
                "error": outcome.reason,
                "seconds": 0.0,
            }
        )
        assert AnalyzerResult.model_validate_json(result.model_dump_json()) == result


__all__ = ["PICTURES", "UNDECODABLE", "AnalyzerContract", "contract_file"]
