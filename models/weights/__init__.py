"""Where models come from: pinned by checksum, fetched once, trusted afterwards."""
