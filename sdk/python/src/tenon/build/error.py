"""What a user reads when a component cannot be built."""


class BuildError(Exception):
    """A text for people: what is wrong, and after it what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"error: {what}" + (f"\n  hint: {hint}" if hint else ""))
