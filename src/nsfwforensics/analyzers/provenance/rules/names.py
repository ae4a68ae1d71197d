"""Names of generators and face swappers as they stand, bare, where a file names its software: data for two analyzers.

Sources: the services' own names; readers that report such values (watermarks-remover, infinite-image-browsing,
DiffusionToolkit). A bare name can be written by anyone, and is never more than a weak sign.
"""

from __future__ import annotations

import re

GENERATORS: tuple[tuple[str, str, str, str], ...] = (
    ("openai", "OpenAI", r"^(?:open ?ai\b|chat ?gpt|gpt-?4o\b|gpt[- ]?image|dall[·\-. ]?e\b|sora\b)", "ChatGPT"),
    ("grok", "Grok", r"^(?:x\.?ai\b|grok\b)", "Grok"),
    ("gemini", "Google AI",
     r"^(?:(?:google )?gemini\b|google ai\b|(?:google )?imagen\b|nano ?banana|google (?:imagefx|whisk))", "Gemini"),
    ("meta", "Meta AI", r"^(?:meta ai\b|imagine(?:d)? with (?:meta )?ai|imagine with meta)", "Meta AI"),
    ("firefly", "Adobe Firefly", r"\bfirefly\b", "Adobe Firefly"),
    ("midjourney", "Midjourney", r"^(?:mid ?journey|niji ?journey)", "Midjourney v7"),
    ("recraft", "Recraft", r"^recraft", "Recraft V3"),
    ("ideogram", "Ideogram", r"^ideogram", "Ideogram 3.0"),
    ("bytedance", "ByteDance", r"^(?:seedream|seededit|jimeng|dreamina|doubao|即梦|豆包)", "Seedream 4.0"),
    ("stable-diffusion", "Stable Diffusion",
     r"^(?:stable[ -]?diffusion|sdxl\b|stability ?ai|automatic1111|comfy ?ui|invoke ?ai|swarm ?ui|sd\.?next\b|fooocus)",
     "Stable Diffusion"),
    ("flux", "FLUX", r"^(?:flux[.\- ]?[12]?\b(?! photo)|black forest labs)", "FLUX.1"),
    ("ai-horde", "AI Horde", r"\b(?:ai ?horde|stable ?horde|art ?bot)\b", "ArtBot, utilizing the AI Horde"),
    ("microsoft", "Microsoft", r"^(?:bing image creator|image creator|microsoft (?:designer|copilot)|copilot\b)",
     "Bing Image Creator"),
    ("leonardo", "Leonardo.Ai", r"^leonardo[. ]?ai", "Leonardo.Ai"),
    ("qwen", "Qwen", r"^(?:qwen|tongyi|wan ?\d|通义)", "Qwen-Image"),
    ("kling", "Kling", r"^(?:kling|kuaishou kolors|可灵)", "Kling AI"),
    ("hunyuan", "Hunyuan", r"^(?:hunyuan|tencent hunyuan|混元)", "Hunyuan Image"),
    ("runway", "Runway", r"^runway(?:ml)?\b", "RunwayML"),
    ("luma", "Luma", r"^luma (?:ai|photon|dream)", "Luma AI"),
    ("playground", "Playground", r"^playground (?:ai|v)", "Playground AI"),
    ("krea", "Krea", r"^krea\b", "Krea AI"),
    ("freepik", "Freepik", r"^freepik (?:ai|mystic|pikaso)", "Freepik AI"),
    ("novelai", "NovelAI", r"^novel ?ai\b", "novelai.net"),
    ("others", "a generator",
     (r"^(?:craiyon|nightcafe|starry ?ai|deep ?ai\b|(?:dream by )?wombo|seaart|tensor\.?art|pixai|artbreeder|civitai"
      r"|perchance|z-?image|hidream|kandinsky|yandex ?art|шедеврум|hailuo|minimax|draw ?things|diffusion ?bee"
      r"|mage\.space|getimg|dezgo|clipdrop|ai[- ]generated)"), "NightCafe"),
)  # fmt: skip
"""Identifier, generator, pattern of the value, example."""

FACE_SWAPPERS: tuple[tuple[str, str, str, str], ...] = (
    ("face-swap", "a face-swap program",
     (r"^(?:roop\b|face ?fusion|deep ?face ?(?:lab|live)|face ?swap|re ?face\b|swapface|deep ?swap|akool|pixble"
      r"|deepfakes?\b)"), "FaceFusion 3.0"),
)  # fmt: skip

AUTHOR = (
    r"^(?:(?:made|created|generated|imagined?) (?:with|by|using) )?"
    r"(?:mid ?journey|dall[·\-. ]?e(?: ?[23])?|chat ?gpt|open ?ai|gpt-?4o|meta ai|google ai|google gemini|adobe firefly"
    r"|grok(?: ai)?|x\.?ai|(?:bing )?image creator|image creator from (?:microsoft )?designer|microsoft copilot"
    r"|stable[ -]?diffusion|stability ?ai|leonardo\.ai|ideogram(?: ai)?|recraft(?: ai)?|seedream|nano ?banana)$"
)
"""Names of services where a person should be named: whole, and none that people have (Sora, Gemini, Leonardo)."""

NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), generator) for _, generator, pattern, _ in (*GENERATORS, *FACE_SWAPPERS)
)
"""Pattern of a software field's value, and whose name it is."""
