"""Rules for online services, phones and apps."""

from __future__ import annotations

from nsfwforensics.analyzers.provenance.model import (
    ANY_SOFTWARE,
    ARTIST,
    CREDIT,
    FREE_TEXT,
    IMAGE_DESCRIPTION,
    MAKE,
    SAMSUNG,
    SOFTWARE,
    USER_COMMENT,
    Certainty,
    Condition,
    FieldView,
    Home,
    Meaning,
    Rule,
    png,
)
from nsfwforensics.core.messages import say

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_CREDIT_WHERE = "XMP photoshop:Credit; IPTC-IIM 2:110"

SERVICES: tuple[Rule, ...] = (
    Rule("grok", "Grok", "EXIF ImageDescription or UserComment, and Artist", (
         Condition(IMAGE_DESCRIPTION + USER_COMMENT, r"^Signature:\s*[A-Za-z0-9+/=]{64,}"),
         Condition(ARTIST, rf"^{_UUID}$")), Meaning.GENERATED, "one real file read, two more reported",
         "ImageDescription=Signature: <base64>, Artist=<UUID>", label="xAI Grok", consistent=True,
         caveat=say("The signature in it can only be checked by xAI, so anyone can imitate, copy or strip this mark. "
         "The marks do not say whether the picture was generated from nothing or from somebody's photo.")),
    Rule("midjourney", "Midjourney", "PNG text `Description`",
         (Condition(png("Description"), rf"Job ID: {_UUID}"),), Meaning.GENERATED, "real file",
         "a boat on a lake --v 6 Job ID: 0a1b2c3d-0000-4000-8000-000000000000"),
    Rule("google-made", "Google AI", _CREDIT_WHERE, (Condition(CREDIT, r"^Made with Google AI$"),),
         Meaning.GENERATED, "published code that writes and reads it", "Credit=Made with Google AI"),
    Rule("google-edited", "Google AI", _CREDIT_WHERE, (Condition(CREDIT, r"^Edited with Google AI$"),),
         Meaning.EDITED, "published code that writes and reads it", "Credit=Edited with Google AI",
         detail=say("AI used on an existing picture")),
    Rule("apple-clean-up", "Apple Photos Clean Up", _CREDIT_WHERE,
         (Condition(CREDIT, r"^Apple Photos Clean Up$"),), Meaning.EDITED, "Apple framework code, as decompiled",
         "Credit=Apple Photos Clean Up", detail=say("something was removed from an existing picture"),
         caveat=say("Unsigned: anyone can write or strip it. Clean Up removes things from photos, often a passer-by; "
         "it says nothing about what was removed.")),
    Rule("samsung-ai", "Samsung Galaxy AI", "Samsung trailer block `PEg_Info`",
         (Condition((Home(SAMSUNG, "PEg_Info"),), r'"genAIType"\s*:\s*"?[1-9]'),), Meaning.EDITED, "real file",
         'PEg_Info{"genImageVersion":"v1","genAIType":8}', detail=say("an existing picture changed with photo assist")),
    Rule("samsung-ai-history", "Samsung Galaxy AI", "Samsung trailer block `PhotoEditor_Re_Edit_Data`",
         (Condition((Home(SAMSUNG, "PhotoEditor_Re_Edit_Data"),), r'\\?"genAIType\\?"\s*:\s*\\?"?[1-9]'),),
         Meaning.EDITED, "real file", 'PhotoEditor_Re_Edit_Data{"genAIType":2}',
         detail=say("an existing picture changed with photo assist")),
    Rule("flux", "FLUX", "EXIF Software", (Condition(SOFTWARE, r"^AI generated;[\w .-]+;flux"),), Meaning.GENERATED,
         "FLUX source", "Software=AI generated;txt2img;flux, Make=Black Forest Labs",
         prompt=IMAGE_DESCRIPTION),
    Rule("bytedance", "ByteDance", "JSON in EXIF UserComment or ImageDescription, or PNG text", (
         Condition(FREE_TEXT, r"^(?:\w+\.)*product: (?:doubao|dreamina)\b", FieldView.JSON),
         Condition(FREE_TEXT, r"^(?:\w+\.)*exportType: generation$", FieldView.JSON)), Meaning.GENERATED,
         "code of readers; a published export", '{"data": {"product": "dreamina", "exportType": "generation"}}',
         label="ByteDance (Doubao, Dreamina)"),
    Rule("bytedance-label", "ByteDance", "JSON in EXIF UserComment or ImageDescription, or PNG text",
         (Condition(FREE_TEXT, r"^(?:\w+\.)*aigc_label_type: [12]$", FieldView.JSON),), Meaning.GENERATED,
         "code of readers; a published export", '{"aigc_info": {"aigc_label_type": 1}}',
         label=say("a ByteDance service")),
    Rule("ideogram", "Ideogram", "EXIF Make", (Condition(MAKE, r"^Ideogram AI\b"),), Meaning.GENERATED,
         "third party's report", "Make=Ideogram AI", Certainty.REPORTED),
    Rule("luma", "Luma", "PNG text `Source`", (Condition(png("Source"), r"^Luma AI\b"),), Meaning.GENERATED,
         "third party's report", "Source=Luma AI", Certainty.REPORTED),
    Rule("reve", "Reve", "EXIF Software; XMP CreatorTool", (Condition(ANY_SOFTWARE, r"\breve\.com\b"),),
         Meaning.GENERATED, "third party's report", "Software=reve.com", Certainty.REPORTED),
)  # fmt: skip
"""Marks of services, phones and apps."""
