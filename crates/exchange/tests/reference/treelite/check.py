"""Asks Treelite about the models that fattail wrote: python check.py FOLDER.

FOLDER is what `cargo test -p fattail-exchange -- --ignored peers` filled. Prints the largest difference
of predictions, relative to 1 + size. Asked with treelite 4.8.1.
"""

import json
import pathlib
import sys

import numpy as np
import treelite

worst = 0.0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.cases")):
    case = json.loads(path.read_text())
    x = np.array([[np.nan if v is None else v for v in row] for row in case["x"]], float)
    expected = np.array(case["prediction"], float)
    model = treelite.Model.deserialize(str(path.with_suffix(".treelite")))
    given = treelite.gtil.predict(model, x, nthread=1).reshape(len(x), -1)
    difference = np.max(np.abs(given - expected) / (1 + np.abs(expected)))
    worst = max(worst, difference)
    print(f"{path.stem:24} {len(x):5} rows, difference {difference:.1e}")
print(f"largest difference {worst:.1e}")
sys.exit(bool(worst > 1e-6))
