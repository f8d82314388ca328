"""Bundles on disk: a folder or one ``.rapb`` file with a manifest that vouches for every byte.

Nothing in a bundle is executed on load, and no byte is used before its digest was compared: graphs
reach a backend as the verified bytes, never as a path. docs/bundle-format.md is the contract.
"""

from rap_edge.bundle.difference import Change, Comparison, compare_bundles
from rap_edge.bundle.merge import pack_bundles, require_one_model, require_quality
from rap_edge.bundle.opened import DEFAULT, Bundle, open_bundle, verify_bundle
from rap_edge.bundle.papers import Inputs, Papers
from rap_edge.bundle.storage import MANIFEST, SIGNATURE, SUBSET
from rap_edge.bundle.written import (
    Part,
    extract_bundle,
    require_writable,
    sign_bundle,
    write_bundle,
)

__all__ = [
    "DEFAULT",
    "MANIFEST",
    "SIGNATURE",
    "SUBSET",
    "Bundle",
    "Change",
    "Comparison",
    "Inputs",
    "Papers",
    "Part",
    "compare_bundles",
    "extract_bundle",
    "open_bundle",
    "pack_bundles",
    "require_one_model",
    "require_quality",
    "require_writable",
    "sign_bundle",
    "verify_bundle",
    "write_bundle",
]
