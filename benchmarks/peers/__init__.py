"""Other servers of live transcription beside Undertone: the same weights, each in an environment of its own."""
