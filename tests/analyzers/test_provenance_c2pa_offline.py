"""Content Credentials without network: links are named and not followed, and no host is contacted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.analyzers.make_c2pa import Authority, action, claim, codes, read, signed
from tests.formats.make import jpeg, with_segments, xmp, xmp_segment


def with_link(link: str) -> bytes:
    attributes = f'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{link}"'
    return with_segments(jpeg(), xmp_segment(xmp(attributes=attributes)))


def test_a_remote_link_names_the_host_and_is_not_followed() -> None:
    found = read(with_link("https://manifests.example.org/abc?picture=7"))
    assert codes(found) == {"PROV-109"}
    assert "“manifests.example.org”; they were not fetched" in claim(found, "PROV-109").explanation
    assert claim(found, "PROV-109").data["link"] == "https://manifests.example.org/abc?picture=7"


@pytest.mark.parametrize(
    "link", ["", "javascript:alert(1)", "https://", "https://[::1", "file:///etc/passwd", "x" * 9000]
)
def test_other_links_are_no_findings(link: str) -> None:
    assert not read(with_link(link)).findings


def test_a_reference_to_credentials_that_are_gone_is_said() -> None:
    assert codes(read(with_link("self#jumbf=/c2pa/urn:uuid:1/c2pa.claim"))) == {"PROV-113"}


def test_the_library_is_not_imported_for_files_without_credentials() -> None:
    script = (
        "import sys; from nsfwforensics.analyzers.provenance.c2pa.credentials import credentials;"
        "from nsfwforensics.core.evidence import Evidence; from nsfwforensics.formats.fields import Metadata;"
        "data = sys.stdin.buffer.read(); assert not credentials(Evidence.from_bytes(data), Metadata()).findings;"
        "print([name for name in ('c2pa', 'PIL', 'cv2', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], input=jpeg(), capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def _identity() -> dict[str, Any]:
    """An identity assertion that is checked by fetching a document from a host that it names."""
    credential = json.dumps({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://cawg.io/identity/1.1/ica/context/"],
        "type": ["VerifiableCredential", "IdentityClaimsAggregationCredential"],
        "issuer": "did:web:identity.example.com", "validFrom": "2025-04-09T22:46:13Z",
        "credentialSubject": {
            "verifiedIdentities": [{
                "type": "cawg.social_media", "username": "u", "uri": "https://example.com/u",
                "provider": {"id": "https://example.com", "name": "e"}, "method": "cawg.federated_login",
                "verifiedAt": "2025-04-09T22:45:26Z",
            }],
            "c2paAsset": {
                "referenced_assertions": [{"url": "self#jumbf=c2pa.assertions/c2pa.hash.data", "hash": "AAAA"}],
                "sig_type": "cawg.identity_claims_aggregation",
            },
        },
    }).encode()  # fmt: skip

    def text(value: bytes) -> bytes:  # a CBOR byte string
        return b"\x59" + len(value).to_bytes(2, "big") + value

    protected = b"\xa2\x01\x27\x03\x6eapplication/vc"  # algorithm EdDSA, content type
    cose = b"\xd2\x84" + text(protected) + b"\xa0" + text(credential) + text(bytes(64))
    hashed = {"url": "self#jumbf=c2pa.assertions/c2pa.hash.data", "hash": [0] * 32}
    payload = {"referenced_assertions": [hashed], "sig_type": "cawg.identity_claims_aggregation"}
    return {"label": "cawg.identity", "data": {"signer_payload": payload, "signature": list(cose), "pad1": [0]}}


@pytest.fixture
def proxy() -> Iterator[Any]:
    """A socket that is everybody's proxy: whoever tries to reach any host connects to it."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        yield server


_READ = {
    "library's defaults": "import c2pa\ntry: c2pa.Reader('image/jpeg', open(sys.argv[1], 'rb'))\n"
    "except c2pa.C2paError: pass\n",
    "only remote manifests off": "import c2pa\n"
    "context = c2pa.Context.from_dict({'verify': {'remote_manifest_fetch': False}})\n"
    "try: c2pa.Reader('image/jpeg', open(sys.argv[1], 'rb'), None, context)\nexcept c2pa.C2paError: pass\n",
    "ours": "from pathlib import Path\nfrom nsfwforensics.core.evidence import Evidence\n"
    "from nsfwforensics.analyzers.provenance.c2pa.credentials import credentials\n"
    "from nsfwforensics.analyzers.provenance.c2pa.read import read_store\n"
    "from nsfwforensics.formats.read import read_metadata\n"
    "e = Evidence.open(Path(sys.argv[1]))\nread_store(e.data, e.media_type)\n"
    "assert credentials(e, read_metadata(e.data, e.media_type)).findings\n",
}


def _connects(how: str, file: Path, proxy: Any) -> bool:
    address = "http://{}:{}".format(*proxy.getsockname())
    environment = {**os.environ, **{f"{kind}_PROXY": address for kind in ("HTTP", "HTTPS", "ALL")}, "NO_PROXY": ""}
    environment |= {key.lower(): value for key, value in environment.items() if key.endswith("_PROXY")}
    process = subprocess.Popen([sys.executable, "-c", "import sys\n" + _READ[how], str(file)], env=environment)
    connected = False
    while process.poll() is None or not connected:
        try:
            proxy.accept()[0].close()
            connected = True
        except TimeoutError:
            if process.poll() is not None:
                break
    assert process.wait(60) == 0
    return connected


@pytest.mark.parametrize(
    ("case", "how", "connects"),
    [
        ("remote", "library's defaults", True),
        ("remote", "ours", False),
        ("identity", "only remote manifests off", True),
        ("identity", "ours", False),
    ],
)
def test_no_host_is_contacted(
    newsroom: Authority, tmp_path: Path, proxy: Any, case: str, how: str, connects: bool
) -> None:
    file = tmp_path / "picture.jpg"
    created = action("created", "digitalCapture")
    if case == "remote":
        data = signed(jpeg(), created, by=newsroom, remote="http://manifests.example.com/one.c2pa", embed=False)
    else:
        data = signed(jpeg(), created, by=newsroom, assertions=(_identity(),))
    file.write_bytes(data)
    found = _connects(how, file, proxy)
    if case == "identity" and connects and not found:
        pytest.skip("this release of the library does not read identity assertions over the network")
    assert found is connects
