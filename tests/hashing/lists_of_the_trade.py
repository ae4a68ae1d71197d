"""Hash lists as the trade's programs write them, made by code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nsfwforensics.hashing.lists.formats import ListFormat
from nsfwforensics.hashing.lists.items import HashKind, KnownItem

MD5, SHA1, SHA256 = "0a" * 16, "1b" * 20, "2c" * 32
PHOTODNA = "A" * 192


def item(**fields: Any) -> KnownItem:
    """An entry, its hashes in hexadecimal."""
    hashes = {kind.value for kind in HashKind}
    values: dict[str, Any] = {name: bytes.fromhex(one) if name in hashes else one for name, one in fields.items()}
    return KnownItem(**values)


FILE_HASH = f"Algorithm : SHA256\r\nHash      : {SHA256.upper()}\r\nPath      : C:\\a\\b c.jpg\r\n"
READ: dict[str, tuple[str, ListFormat, list[KnownItem]]] = {
    "column hash": (f"filename,hash\na.jpg,{SHA256}\n", ListFormat.CSV, [item(sha256=SHA256, name="a.jpg")]),
    "column hash of 32 digits": (f"hash\n{MD5}\n", ListFormat.CSV, [item(md5=MD5)]),
    "column hash value with semicolons": (f"Name;Hash Value\na.jpg;{SHA1}\n", ListFormat.CSV,
                                          [item(sha1=SHA1, name="a.jpg")]),
    "column indicator": (f"indicator\tdescription\n{SHA1}\tx\n", ListFormat.CSV, [item(sha1=SHA1)]),
    "indicator type": (f"indicator_type,indicator\nFileHash-MD5,{MD5}\nFileHash-SHA256,{SHA256}\n", ListFormat.CSV,
                       [item(md5=MD5), item(sha256=SHA256)]),
    "type of the file": (f"type,hash\nimage/jpeg,{MD5}\n", ListFormat.CSV, [item(md5=MD5)]),
    "names of columns": (f"file_md5;SHA2-256 hash;File Size\n{MD5};{SHA256};12\n", ListFormat.CSV,
                         [item(md5=MD5, sha256=SHA256, size=12)]),
    "sep": (f"sep=;\nMD5;Path\n{MD5};x\n", ListFormat.CSV, [item(md5=MD5, name="x")]),
    "no heading": (f"a.jpg;{MD5};{SHA1}\n", ListFormat.CSV, [item(md5=MD5, sha1=SHA1, name="a.jpg")]),
    "json without a type": (json.dumps([{"indicator": MD5}, {"hashValue": SHA1, "algorithm": "SHA-1"}]),
                            ListFormat.JSON, [item(md5=MD5), item(sha1=SHA1)]),
    "Export-Csv": (f'#TYPE X\r\n"Algorithm","Hash","Path"\r\n"SHA256","{SHA256}","C:\\a.jpg"\r\n', ListFormat.CSV,
                   [item(sha256=SHA256, name="C:\\a.jpg")]),
    "Get-FileHash, list": (f"\r\n{FILE_HASH}\r\n{FILE_HASH}", ListFormat.GET_FILEHASH,
                           2 * [item(sha256=SHA256, name="C:\\a\\b c.jpg")]),
    "Get-FileHash, list without empty lines": (FILE_HASH * 2, ListFormat.GET_FILEHASH,
                                               2 * [item(sha256=SHA256, name="C:\\a\\b c.jpg")]),
    "Get-FileHash, table": (f"\r\nAlgorithm  Hash   Path\r\n---------  ----  ----\r\nMD5  {MD5}  C:\\a b.jpg\r\n",
                            ListFormat.GET_FILEHASH, [item(md5=MD5, name="C:\\a b.jpg")]),
    "certutil": (f"SHA256 hash of a.jpg:\r\n{SHA256}\r\nCertUtil: -hashfile command completed successfully.\r\n",
                 ListFormat.CERTUTIL, [item(sha256=SHA256, name="a.jpg")]),
    "certutil of Windows 7": (f"SHA1 hash of file a b.jpg:\r\n{' '.join(['1b'] * 20)}\r\nCertUtil: done.\r\n",
                              ListFormat.CERTUTIL, [item(sha1=SHA1, name="a b.jpg")]),
    "certutil in German": (f"MD5-Hash von a.jpg:\r\n{MD5}\r\nCertUtil: -hashfile-Befehl wurde ausgef\u00fchrt.\r\n",
                           ListFormat.CERTUTIL, [item(md5=MD5, name="-Hash von a.jpg")]),
    "fciv": (f"//\r\n// File Checksum Integrity Verifier version 2.05.\r\n//\r\n{MD5} c:\\a b.jpg\r\n",
             ListFormat.CHECKSUMS, [item(md5=MD5, name="c:\\a b.jpg")]),
    "openssl 1": (f"SHA256(a.jpg)= {SHA256}\nMD5(b (1).jpg)= {MD5}\n", ListFormat.CHECKSUMS,
                  [item(sha256=SHA256, name="a.jpg"), item(md5=MD5, name="b (1).jpg")]),
    "openssl 3": (f"SHA2-256(a.jpg)= {SHA256}\nSHA1(a)= {SHA1}\n", ListFormat.CHECKSUMS,
                  [item(sha256=SHA256, name="a.jpg"), item(sha1=SHA1, name="a")]),
    "openssl -r": (f"{MD5} *a.jpg\n", ListFormat.CHECKSUMS, [item(md5=MD5, name="a.jpg")]),
    "openssl of its input": (f"(stdin)= {SHA1}\n", ListFormat.CHECKSUMS, [item(sha1=SHA1, name="stdin")]),
    "HashKeeper": (('"file_id","hashset_id","file_name","directory","hash","file_size","date_modified"\n'
                   f'1,2,"a.jpg","C:\\",{MD5.upper()},7,"x"\n'), ListFormat.HASHKEEPER,
                   [item(md5=MD5, name="a.jpg", size=7)]),
    "NCMEC": (('<?xml version="1.0"?><queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><images>'
              f"<image><id>i</id><fingerprints><md5>{MD5}</md5><sha1>{SHA1}</sha1><pdna>x</pdna></fingerprints></image>"
              f"<image><fingerprints><md5>{MD5}</md5></fingerprints></image><deletedImage><id>j</id></deletedImage>"
              "</images></queryResult>"), ListFormat.NCMEC, [item(md5=MD5, sha1=SHA1), item(md5=MD5)]),
}  # fmt: skip


def media(**more: Any) -> dict[str, Any]:
    return {"MediaID": 1, "Category": 1, "MD5": MD5.upper(), "SHA1": SHA1, "MediaSize": "12", "Exifs": [],
            "AlternativeHashes": [{"HashName": "PhotoDNA", "HashValue": PHOTODNA}],
            "MediaFiles": [{"FileName": "a.jpg", "MD5": MD5.upper()}], **more}  # fmt: skip


def rds(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def encase() -> bytes:
    """EnCase's set of two digests."""
    return b"HASH\r\n\xff\0" + bytes(1144) + bytes.fromhex(MD5) + b"\0\0" + b"\xff" * 18


def hash_lists() -> list[bytes]:
    """A list of each kind."""
    with TemporaryDirectory() as folder:
        statements = "CREATE TABLE FILE (md5 TEXT, file_name TEXT)", f"INSERT INTO FILE VALUES ('{MD5}', 'a')"
        database = rds(Path(folder) / "x", *statements).read_bytes()
    texts = [text.encode() for text, _, _ in READ.values()]
    return [*texts, json.dumps({"value": [{"CaseID": "x", "Media": [media(), media()]}]}).encode(), encase(), database]
