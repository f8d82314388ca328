"""The mark that says, to people and to machines, that a film was made by an AI.

People read the tags; machines read an XMP packet with the IPTC property DigitalSourceType, in the
`uuid` box where the XMP specification (part 3, "MPEG-4") puts it.
"""

from __future__ import annotations

import struct
from pathlib import Path

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
STATEMENT = "Made by AI: rap-edge animated a portrait to speech."
TAGS = {
    "comment": f"{STATEMENT} digitalSourceType={SOURCE_TYPE}",
    "description": STATEMENT,
}

_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"
    xmp:CreatorTool="rap-edge"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def append_xmp(path: Path) -> None:
    """Append the XMP packet to a finished MP4 file, as one more box at its end."""
    packet = _XMP.encode()
    header = struct.pack(">I4s", 8 + len(_XMP_BOX) + len(packet), b"uuid")
    with path.open("ab") as film:
        film.write(header + _XMP_BOX + packet)
