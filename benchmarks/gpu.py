"""Training speed on an accelerator by lookback and precision, and the part of its bfloat16 rate that is made use of.

Works with the TensorFlow and the JAX backend, whichever `KERAS_BACKEND` names, and with a processor where there is
nothing else, at smaller sizes (`--units 64 --batch 256 --steps 20 --product 1024`). The rate is that of one product of
large bfloat16 matrices on the same device, measured. One JSON line for each model, lookback and precision.
"""

import argparse
import time
from pathlib import Path

import accuracy
import arithmetic
import numpy as np

#: Series side by side, and rows of each.
SERIES, ROWS, HORIZON = 7, 20_000, 96
PRECISIONS = ("float32", "mixed_bfloat16")


def waves() -> np.ndarray:
    """Daily and weekly seasons with noise, (rows, series)."""
    rng, hours = np.random.default_rng(0), np.arange(ROWS)[:, None]
    phase = np.arange(SERIES)
    seasons = np.sin(2 * np.pi * hours / 24 + phase) + np.sin(2 * np.pi * hours / 168 + phase)
    return (seasons + 0.3 * rng.normal(size=(ROWS, SERIES))).astype("float32")


def device_rate(size: int, runs: int = 10) -> float:
    """Floating point operations per second of a bfloat16 product of two matrices of that size."""
    from keras import ops

    one = ops.cast(ops.ones((size, size)), "bfloat16")
    ops.convert_to_numpy(ops.cast(ops.matmul(one, one)[0, 0], "float32"))
    began = time.perf_counter()
    product = one
    for _ in range(runs):
        product = ops.matmul(one, product) / size  # each needs the one before, so none can be left out
    ops.convert_to_numpy(ops.cast(product[0, 0], "float32"))
    return 2 * size**3 * runs / (time.perf_counter() - began)


def speed(model: str, lookback: int, precision: str, args: argparse.Namespace) -> dict:
    """Windows a second of training steps, compiling left out, and the weights of the network."""
    import forecastkit as fk

    sizes = {"horizon": HORIZON, "lookback": lookback, "units": args.units, "batch_size": args.batch}
    sizes |= {"patch": 1} if model in arithmetic.GATES else {"patch": arithmetic.PATCH, "layers": arithmetic.LAYERS}
    if model not in arithmetic.GATES:
        sizes["feedforward"] = 2 * args.units
    plan = {"epochs": 2, "windows_per_epoch": args.batch * args.steps, "final_epochs": 0, "validation_size": 0.05}
    name = accuracy.class_name(model)
    fitted = getattr(fk, name)(**sizes, **plan, precision=precision, random_state=0).fit(waves())
    pieces = fitted.training_history_.pieces[1:]
    steps, seconds = (sum(values) for values in zip(*pieces, strict=True))
    return {"windows_per_second": steps * args.batch / seconds, "weights": int(fitted.model_.count_params())}


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=accuracy.names, default=["gru", "lstm", "transformer"])
    parser.add_argument("--lookbacks", type=accuracy.whole_numbers, default=(336, 720))
    parser.add_argument("--precisions", type=accuracy.names, default=list(PRECISIONS))
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--batch", type=int, default=2048, help="windows of a step")
    parser.add_argument("--steps", type=int, default=100, help="of an epoch; there are two")
    parser.add_argument("--product", type=int, default=8192, help="rows of the matrices that the rate is measured with")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended")
    args = parser.parse_args(argv)
    run(args)


def run(args: argparse.Namespace) -> None:
    """Measure everything that was asked for."""
    import keras

    from forecastkit.training.engines.hardware import describe_devices

    rate = device_rate(args.product)
    about = {"backend": keras.backend.backend(), "devices": describe_devices(), "bfloat16_rate": round(rate)}
    print(f"{about['backend']} on {about['devices']}: {rate / 1e12:.2f} TFLOP/s in bfloat16", flush=True)
    for model in args.models:
        for lookback in args.lookbacks:
            for precision in args.precisions:
                found = speed(model, lookback, precision, args)
                sizes = {"lookback": lookback, "horizon": HORIZON, "units": args.units, "feedforward": 2 * args.units}
                part = arithmetic.training_fraction(model, found["windows_per_second"], rate, **sizes)
                line = {"model": model, "precision": precision, "batch": args.batch, **sizes, **found, "part": part}
                accuracy.write_line(args.out, {**about, **line, **accuracy.environment()})
                each = f"{model}, lookback {lookback}, {precision}: {found['windows_per_second']:,.0f} windows/s"
                print(f"{each}, {100 * part:.1f} % of the rate", flush=True)


if __name__ == "__main__":
    accuracy.sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
