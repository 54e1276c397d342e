"""How the shipped sentiment models were made: data, forms, bases, fitting, export. Needs the extra ``training``."""
