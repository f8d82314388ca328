"""The photo rig: labelled talking-head frames from one portrait and a morphable head."""

from rap_edge.training.rig.fit import HeadFit, cached_fit, fit
from rap_edge.training.rig.head import HeadModel
from rap_edge.training.rig.pose import Pose
from rap_edge.training.rig.rig import Labels, PhotoRig, Rendered, opening_of, photo_rig

__all__ = [
    "HeadFit",
    "HeadModel",
    "Labels",
    "PhotoRig",
    "Pose",
    "Rendered",
    "cached_fit",
    "fit",
    "opening_of",
    "photo_rig",
]
