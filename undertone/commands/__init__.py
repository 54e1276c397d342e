"""The commands of ``undertone``, by what they are for; ``undertone.cli`` puts them together."""
