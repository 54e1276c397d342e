"""What all parts of Undertone share: settings, the vocabulary of events, topics, tokens, errors, the command."""

__version__ = "0.1.0"
