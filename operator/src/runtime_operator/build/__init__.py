"""Manifests, built whole from values. Pure."""
