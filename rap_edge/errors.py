"""The errors of rap-edge: one base, few leaves, each leading the caller to a different fix.

A message says what was wrong with the value, what was expected, and what to do.
"""


class RapEdgeError(Exception):
    """Base of everything that rap-edge raises on purpose."""


class AudioError(RapEdgeError, ValueError):
    """Audio that cannot be used: dtype, shape, rate, length or a value that is not finite."""


class PortraitError(RapEdgeError, ValueError):
    """A portrait that cannot be read or is too small."""


class NoFaceFound(PortraitError):
    """A picture without a face that is large enough to animate."""


class MediaError(RapEdgeError):
    """A media file that cannot be read or written."""


class ConfigError(RapEdgeError, ValueError):
    """A configuration value or key that is not accepted."""


class InvalidBundle(RapEdgeError):
    """A bundle that is damaged, incomplete or not a bundle."""


class UnsignedBundle(InvalidBundle):
    """A bundle without a signature, where one is asked for."""


class BadSignature(InvalidBundle):
    """A signature that is damaged, or was made for other files."""


class UntrustedKey(InvalidBundle):
    """A signature by a key that is not among those trusted here."""


class QualityError(RapEdgeError):
    """A variant that loses more of fp32's quality than the gate allows."""


class NotSupported(RapEdgeError):
    """A request that this version, bundle or backend does not offer."""


class BackendUnavailable(RapEdgeError):
    """A runtime backend that is not installed or does not start here."""


class BackendFailed(RapEdgeError):
    """A graph that ran, and failed while a stream was open."""


class StateError(RapEdgeError, RuntimeError):
    """A call in an order that the object does not allow."""


class ConcurrencyError(StateError):
    """Two threads inside one object that belongs to one stream."""


class ParityError(RapEdgeError):
    """Two computations that should agree and do not, such as a converted graph and its model."""


class Overloaded(RapEdgeError):
    """One stream more than this machine can serve."""


class BackpressureError(RapEdgeError):
    """Audio that was pushed further ahead of its time than a stream keeps."""
