"""The softphone as a program: ``python demo/phones/softphone.py --help``.

An independent check on Callwright: it shares not a line with it.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Run from anywhere: the packages of the demo are found from here, not from the folder above.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    runpy.run_module("demo.phones.soft", run_name="__main__", alter_sys=True)
