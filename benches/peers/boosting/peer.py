"""One measurement of a peer, in a process of its own: `python peer.py QUESTION SIDE DATA FOLDER`.

A training question bins, trains, writes the model and the held-out predictions (`float64`) to FOLDER,
and prints one JSON line: seconds of binning and of training, bytes of peak memory at the end of
training, and bytes held after the imports, before any data (`base`). The other questions load the
model of an earlier one and print what they measure.
"""

import ctypes
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

THREADS = int(os.environ.get("THREADS", "2"))
# Every system gets these settings: nothing is sampled but columns, nothing limited but leaves.
PLANS = json.loads((Path(__file__).parent / "plans.json").read_text())


def status(field: str) -> int:
    """A field of the process's status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status")


def matrix(data: Path, name: str, start: int, rows: int, dtype, order: str = "C") -> np.ndarray:
    """Rows of a file of columns."""
    head = json.loads((data / f"{name}.json").read_text())
    stored = {"u8": "u1", "f32": "<f4"}[head["kind"]]
    width = np.dtype(stored).itemsize
    out = np.empty((rows, head["columns"]), dtype, order=order)
    for at in range(head["columns"]):
        where = (at * head["rows"] + start) * width
        out[:, at] = np.fromfile(data / f"{name}.{head['kind']}", stored, rows, offset=where)
    return out


def targets(data: Path, question: str, start: int, rows: int) -> np.ndarray:
    return np.fromfile(data / PLANS[question]["target"], "<f4", rows, offset=4 * start)


class LightGbm:
    """`lightgbm`, with the variants `-row`, `-col`, `-quantised` and `-arrow` (input as int8 Arrow)."""

    def __init__(self, variant: str):
        import lightgbm

        self.library, self.variant = lightgbm, variant
        if variant == "arrow":
            import pyarrow

            self.arrow = pyarrow

    def settings(self, question: str) -> dict:
        plan = PLANS[question]
        chosen = {
            "row": {"force_row_wise": True}, "col": {"force_col_wise": True},
            "quantised": {"use_quantized_grad": True, "quant_train_renew_leaf": True},
        }.get(self.variant, {})
        return {
            "objective": "binary" if question == "binary" else "regression",
            "learning_rate": plan["rate"], "max_depth": plan["depth"] or -1,
            "num_leaves": plan["leaves"], "min_data_in_leaf": plan["least"],
            "min_sum_hessian_in_leaf": 1e-3, "feature_fraction": plan["share"],
            "max_bin": 255, "num_threads": THREADS, "verbosity": -1, "seed": 1,
        } | chosen

    def read(self, data: Path, name: str, start: int, rows: int):
        if self.variant == "arrow":
            values = matrix(data, name, start, rows, np.int8, "F")
            names = [f"x{at}" for at in range(values.shape[1])]
            return self.arrow.table([self.arrow.array(column) for column in values.T], names)
        return matrix(data, name, start, rows, np.int8 if name == "eras" else np.float32)

    def bin(self, question: str, x, y):
        return self.library.Dataset(x, y, params=self.settings(question)).construct()

    def train(self, question: str, binned):
        return self.library.train(self.settings(question), binned, PLANS[question]["trees"])

    def predict(self, model, x) -> np.ndarray:
        return model.predict(x, num_threads=THREADS)

    def save(self, model, path: Path) -> None:
        model.save_model(path)

    def load(self, path: Path):
        return self.library.Booster(model_file=path, params={"num_threads": THREADS})

    def contributions(self, model, x: np.ndarray) -> np.ndarray:
        return model.predict(x, pred_contrib=True, num_threads=THREADS)


class XgBoost:
    """`xgboost`: hist, depth-wise; `-lossguide` grows leaf-wise to the number of leaves."""

    def __init__(self, variant: str):
        import xgboost

        self.library, self.variant = xgboost, variant

    def settings(self, question: str) -> dict:
        plan = PLANS[question]
        leafwise = self.variant == "lossguide" or plan["depth"] == 0
        growth = {"grow_policy": "lossguide", "max_leaves": plan["leaves"]} if leafwise else {}
        # A hessian is 1 a row for squared error; for the logistic loss LightGBM's limit of rows has
        # no equal here.
        least = 1e-3 if question == "binary" else plan["least"]
        return {
            "objective": "binary:logistic" if question == "binary" else "reg:squarederror",
            "tree_method": "hist", "max_bin": 256, "eta": plan["rate"], "max_depth": plan["depth"],
            "min_child_weight": least, "lambda": 0.0, "alpha": 0.0, "gamma": 0.0,
            "colsample_bytree": plan["share"], "nthread": THREADS, "verbosity": 0, "seed": 1,
        } | growth

    read = LightGbm.read

    def bin(self, question: str, x, y):
        return self.library.QuantileDMatrix(x, y, max_bin=256, nthread=THREADS)

    def train(self, question: str, binned):
        return self.library.train(self.settings(question), binned, PLANS[question]["trees"])

    def predict(self, model, x) -> np.ndarray:
        return model.inplace_predict(x)

    def save(self, model, path: Path) -> None:
        model.save_model(path.with_suffix(".ubj"))

    def load(self, path: Path):
        model = self.library.Booster(model_file=path.with_suffix(".ubj"))
        model.set_param({"nthread": THREADS})
        return model

    def contributions(self, model, x: np.ndarray) -> np.ndarray:
        return model.predict(self.library.DMatrix(x, nthread=THREADS), pred_contribs=True)


class CatBoost:
    """`catboost`: symmetric trees; `-lossguide` grows leaf-wise, `-depthwise` level by level."""

    def __init__(self, variant: str):
        import catboost

        self.library, self.variant = catboost, variant

    def settings(self, question: str) -> dict:
        plan = PLANS[question]
        growth = {
            "lossguide": {"grow_policy": "Lossguide", "max_leaves": plan["leaves"],
                          "min_data_in_leaf": plan["least"], "depth": plan["depth"] or 16},
            "depthwise": {"grow_policy": "Depthwise", "min_data_in_leaf": plan["least"],
                          "depth": plan["depth"] or 8},
        }.get(self.variant, {"depth": plan["depth"] or 8})
        return {
            "loss_function": "Logloss" if question == "binary" else "RMSE",
            "iterations": plan["trees"], "learning_rate": plan["rate"], "l2_leaf_reg": 0.0,
            "rsm": plan["share"], "border_count": 254, "bootstrap_type": "No",
            "random_strength": 0.0, "boosting_type": "Plain", "score_function": "L2",
            "leaf_estimation_iterations": 1, "thread_count": THREADS, "random_seed": 1,
            "allow_writing_files": False, "logging_level": "Silent", "metric_period": 10_000,
        } | growth

    def read(self, data: Path, name: str, start: int, rows: int):
        return matrix(data, name, start, rows, np.float32, "F")

    def bin(self, question: str, x, y):
        pool = self.library.Pool(x, y, thread_count=THREADS)
        pool.quantize(border_count=254)
        return pool

    def train(self, question: str, binned):
        return self.library.CatBoost(self.settings(question)).fit(binned)

    def predict(self, model, x) -> np.ndarray:
        logistic = model.get_all_params().get("loss_function") == "Logloss"
        kind = "Probability" if logistic else "RawFormulaVal"
        found = model.predict(x, prediction_type=kind, thread_count=THREADS)
        return found[:, 1] if logistic else found

    def save(self, model, path: Path) -> None:
        model.save_model(str(path.with_suffix(".cbm")))

    def load(self, path: Path):
        return self.library.CatBoost().load_model(str(path.with_suffix(".cbm")))

    def contributions(self, model, x: np.ndarray) -> np.ndarray:
        pool = self.library.Pool(x, thread_count=THREADS)
        return model.get_feature_importance(pool, type="ShapValues", thread_count=THREADS)


def side_of(name: str):
    family, _, variant = name.partition("-")
    return {"lightgbm": LightGbm, "xgboost": XgBoost, "catboost": CatBoost}[family](variant)


def train(question: str, name: str, data: Path, folder: Path) -> dict:
    side, plan = side_of(name), PLANS[question]
    base = status("VmRSS")
    x = side.read(data, plan["data"], 0, plan["rows"])
    y = targets(data, question, 0, plan["rows"])
    input_peak = status("VmHWM")
    start, cpu_start = time.perf_counter(), time.process_time()
    binned = side.bin(question, x, y)
    middle, cpu_middle = time.perf_counter(), time.process_time()
    model = side.train(question, binned)
    end, cpu_end = time.perf_counter(), time.process_time()
    peak = status("VmHWM")
    head = json.loads((data / f"{plan['data']}.json").read_text())
    del x, binned
    held_out = side.read(data, plan["data"], head["rows"] - head["held_out"], head["held_out"])
    side.predict(model, held_out).astype("<f8").tofile(folder / f"{question}-{name}.f64")
    side.save(model, folder / f"{question}-{name}.txt")
    return {"bin": middle - start, "train": end - middle, "peak": peak, "base": base,
            "input": input_peak, "bin_cpu": cpu_middle - cpu_start, "train_cpu": cpu_end - cpu_middle}


def best_of(times: int, work) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[times // 2]


def predict(_question: str, name: str, data: Path, folder: Path) -> dict:
    """300 trees on 200,000 rows, from int8 and from float32, and one row at a time."""
    side = side_of(name)
    model = side.load(folder / f"sampled-{name}.txt")
    order = "F" if name.startswith("catboost") else "C"
    inputs = {kind: matrix(data, "eras", 0, 200_000, kind, order) for kind in ("int8", "float32")}
    if name == "catboost":
        inputs["pool"] = side.library.Pool(inputs["float32"], thread_count=THREADS)
    found = {f"batch_{kind}": best_of(3, lambda x=x: side.predict(model, x))
             for kind, x in inputs.items()}
    if name == "xgboost":
        # A matrix remembers what was predicted of it, so each is asked once.
        ready = [side.library.DMatrix(inputs["float32"], nthread=THREADS) for _ in range(3)]
        found["batch_matrix"] = best_of(3, lambda: model.predict(ready.pop()))
    rows = np.ascontiguousarray(inputs["float32"][:2_000]).astype(np.float64)
    single = [rows[at : at + 1] for at in range(len(rows))]
    found["single"] = best_of(3, lambda: [side.predict(model, row) for row in single[:500]]) / 500
    if name == "lightgbm":
        found |= fast_single(model, rows)
    return found


def fast_single(model, rows: np.ndarray) -> dict:
    """LightGBM's fast path for one row, through its C interface; `call` is what an empty one costs."""
    import lightgbm

    library = ctypes.cdll.LoadLibrary(lightgbm.libpath._find_lib_path()[0])
    config, length = ctypes.c_void_p(), ctypes.c_int64()
    out = (ctypes.c_double * 1)()
    library.LGBM_BoosterPredictForMatSingleRowFastInit(
        model._handle, 0, 0, -1, 1, rows.shape[1], ctypes.c_char_p(b"num_threads=1"),
        ctypes.byref(config),
    )
    fast = library.LGBM_BoosterPredictForMatSingleRowFast
    fast.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    length_at, out_at = ctypes.addressof(length), ctypes.addressof(out)
    addresses = [rows[at].ctypes.data for at in range(len(rows))]

    def all_rows():
        for address in addresses:
            fast(config, address, length_at, out_at)

    seconds = best_of(5, all_rows) / len(rows)
    expected = model.predict(rows[-1:])[0]
    assert out[0] == expected, (out[0], expected)
    empty = ctypes.CDLL(None).getpid
    empty.argtypes = fast.argtypes

    def all_empty():
        for address in addresses:
            empty(config, address, length_at, out_at)

    return {"single_fast": seconds, "call": best_of(5, all_empty) / len(rows)}


def explain(_question: str, name: str, data: Path, folder: Path) -> dict:
    """Shapley values of 2,000 rows for the 100 trees of `shallow`."""
    side = side_of(name)
    model = side.load(folder / f"shallow-{name}.txt")
    order = "F" if name.startswith("catboost") else "C"
    x = matrix(data, "eras", 0, 2_000, "float32", order)
    return {"explain": best_of(3, lambda: side.contributions(model, x))}


def main(question: str, name: str, data: str, folder: str) -> None:
    ask = {"predict": predict, "explain": explain}.get(question, train)
    print(json.dumps(ask(question, name, Path(data), Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
