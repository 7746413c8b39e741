"""The forms in which recurrent layers are written."""
