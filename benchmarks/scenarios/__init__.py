"""Scenarios: ways in which people use a portrait, each measured for every subject in turns."""
