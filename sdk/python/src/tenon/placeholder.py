"""Secrets in requests to other services, which no code of the guest sees."""


def placeholder(name: str) -> str:
    """The text that the host replaces by a secret's value in a request to a service that the secret is for. Needs no import."""
    return f"__secret.{name}__"
