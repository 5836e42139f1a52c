"""How long a test waits for what must come, before it says that it did not come.

No claim about time: it only ends waiting in vain. What a test asserts of time it measures, and then
it is marked ``realtime``, or its clock jumps (`tests.autojump`).
"""

import os

NICE = 10
"Niceness from which on a run may get next to nothing of a machine that others keep busy."
WITHIN = 60.0 if os.nice(0) < NICE else 600.0
"Seconds."
