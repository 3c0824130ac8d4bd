"""Every parameter of LightGBM with its aliases, and the parameters block of a model.

Made with lightgbm 4.7.0 and numpy; writes parameters.json beside itself.
"""

import json
import pathlib

import lightgbm
import numpy

aliases = lightgbm.basic._ConfigAliases._get_all_param_aliases()
features = numpy.random.RandomState(0).rand(200, 3)
settings = {"num_iterations": 1, "verbosity": -1, "monotone_constraints": [1, 0, -1]}
booster = lightgbm.train(settings, lightgbm.Dataset(features, features[:, 0]))
text = booster.model_to_string()
block = text[text.index("\nparameters:\n") :].split("\n\n")[0].split("\n")[2:]
block = [line for line in block if line.startswith("[")]
pairs = [line[1:-1].split(": ", 1) for line in block]
out = {"lightgbm": lightgbm.__version__, "aliases": dict(sorted(aliases.items())), "block": pairs}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(out, indent=1) + "\n")
