"""A pytest plugin: fewer examples of each property, where a test does not say how many."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "few", deadline=None, max_examples=20, suppress_health_check=list(HealthCheck)
)
settings.load_profile("few")
