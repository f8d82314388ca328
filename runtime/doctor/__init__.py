"""Explains graphs: what they really compute in here, what is slow and why, what else runs them.

A runtime is asked by opening the graph in it; nothing of a graph is ever run.
"""

from rap_edge.runtime.doctor.diagnosis import Device, Diagnosis, Finding, VariantDiagnosis, Work
from rap_edge.runtime.doctor.examination import examine_bundle, examine_file

__all__ = [
    "Device",
    "Diagnosis",
    "Finding",
    "VariantDiagnosis",
    "Work",
    "examine_bundle",
    "examine_file",
]
