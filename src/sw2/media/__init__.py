"""Pictures: what they are, their pixels, their thumbnails. Pillow is imported at the first call."""

from sw2.media.picture import MAX_PIXELS, Probe, from_array, pixels, probe, thumbnail

__all__ = ["MAX_PIXELS", "Probe", "from_array", "pixels", "probe", "thumbnail"]
