"""What the guide shows runs."""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path
from types import ModuleType

GUIDE = Path(__file__).parent.parent.parent.parent / "docs/guide/python.md"


class Guide(unittest.TestCase):
    def test_the_programs_of_the_guide_run(self) -> None:
        program, test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        module = ModuleType("app")
        sys.modules["app"] = module
        self.addCleanup(sys.modules.pop, "app")
        exec(program, vars(module))
        exec(test, {})


if __name__ == "__main__":
    unittest.main()
