"""Properties of the machine, determined without importing TensorFlow, whose installation may be broken."""

import ctypes.util
import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from forecastkit.training.engines.cluster import answers, read_cluster
from forecastkit.utils.arrays import cores
from forecastkit.utils.exceptions import InputError

#: Packages whose versions are reported, and the packages that provide each backend.
PACKAGES = ("forecastkit", "keras", "numpy", "pandas", "scikit-learn", "keras-tuner")
BACKENDS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",), "torch": ("torch",)}
#: Environment variables that limit threads, and the threads that they limit.
THREADS = {
    "OMP_NUM_THREADS": "of BLAS and OpenMP",
    "TF_NUM_INTRAOP_THREADS": "within an operation of TensorFlow",
    "TF_NUM_INTEROP_THREADS": "between operations of TensorFlow",
}
#: GiB of free memory below which a fit may fail: TensorFlow needs 0.6, compiling a step about 0.3.
MIN_MEMORY = 1.5


@dataclass(frozen=True)
class Finding:
    """One finding about the machine."""

    subject: str  #: Subject in one word
    text: str
    remedy: str = ""  #: Recommended action; empty if none is needed
    prevents: bool = False  #: Whether the problem prevents training


def examine() -> list[Finding]:
    """Examine Python and packages, backend, CPU, memory, GPU requirements and other workers."""
    return [_python(), *_backend(), *_processor(), _memory(), *_graphics(), *_workers()]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _python() -> Finding:
    versions = [f"{name} {_version(name)}" for name in PACKAGES if _version(name)]
    return Finding("versions", ", ".join([f"Python {platform.python_version()}", *versions]))


def _backend() -> list[Finding]:
    wanted = os.environ.get("KERAS_BACKEND", "") or "tensorflow"
    if wanted not in BACKENDS:
        remedy = "Set KERAS_BACKEND to tensorflow, jax or torch, or unset it."
        return [Finding("backend", f"KERAS_BACKEND is {wanted!r}, which networks do not run on", remedy, True)]
    found = [f"{name} {_version(name)}" for name in BACKENDS[wanted] if _version(name)]
    if util.find_spec(wanted) is None:
        extra = "cpu" if wanted == "tensorflow" else wanted
        return [Finding("backend", f"{wanted} is not installed", f"pip install 'forecastkit[{extra}]'", True)]
    notes = [Finding("backend", ", ".join(found) or wanted)]
    if os.environ.get("TF_USE_LEGACY_KERAS", "0") not in ("", "0", "False", "false"):
        notes.append(Finding("backend", "TF_USE_LEGACY_KERAS asks TensorFlow for Keras 2", "Unset it.", True))
    return notes


def usable_cores() -> float:
    """Return the number of usable CPU cores, limited by CPU affinity and the quota of the container."""
    own = cores()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return own if quota == "max" else min(own, int(quota) / int(period))
    except (OSError, ValueError):
        return own


def _processor() -> list[Finding]:
    there, usable = os.cpu_count() or 1, usable_cores()
    text = f"{there} core{'s' * (there != 1)}, {platform.machine()}"
    notes = [Finding("cpu", text if usable == there else f"{text}, of which {usable:g} may be used")]
    if usable < cores():
        threads = max(1, round(usable))
        wanted = f"Set TF_NUM_INTRAOP_THREADS={threads} and OMP_NUM_THREADS={threads}."
        notes.append(Finding("cpu", "the container provides fewer cores than threads will be started", wanted))
    for name, what in THREADS.items():
        given = os.environ.get(name, "")
        if given and (not given.isdigit() or 0 < int(given) < int(usable)):
            notes.append(Finding("threads", f"{name}={given} leaves {given} {what}", "Unset it to use all cores."))
    return notes


def free_memory() -> float | None:
    """Return the available memory in GiB, or None if it is not known."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) / 2**20
    except (OSError, ValueError, KeyError):
        return None


def _memory() -> Finding:
    free = free_memory()
    if free is None:
        return Finding("memory", "the system does not report it")
    remedy = (
        f"Close other programs: a fit needs {MIN_MEMORY:g} GiB in addition to the data." if free < MIN_MEMORY else ""
    )
    return Finding("memory", f"{free:.1f} GiB free", remedy)


def _graphics() -> list[Finding]:
    """Return findings about an NVIDIA GPU that TensorFlow cannot use."""
    if not (Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi")):
        return []
    if _version("tensorflow-cpu") and not _version("tensorflow"):
        return [
            Finding(
                "gpu", "an NVIDIA GPU is present, but tensorflow-cpu cannot use it", "pip install 'forecastkit[gpu]'"
            )
        ]
    if not ctypes.util.find_library("cuda"):
        return [
            Finding(
                "gpu",
                "an NVIDIA GPU is present, but the library libcuda of its driver is missing",
                "Install NVIDIA's driver.",
            )
        ]
    return []


def _workers() -> list[Finding]:
    """Return findings about the workers in TF_CONFIG."""
    if not os.environ.get("TF_CONFIG", "").strip():
        return []
    try:
        cluster = read_cluster()
    except InputError as error:
        return [Finding("workers", str(error), "Correct TF_CONFIG.", True)]
    if cluster is None:
        return [Finding("workers", "TF_CONFIG names no other worker")]
    silent = [address for address in cluster.others() if not answers(address)]
    role = "the chief" if cluster.is_chief else f"worker {cluster.index}"
    text = f"this is {role} of {len(cluster.addresses)}"
    if not silent:
        return [Finding("workers", f"{text}; all others answer")]
    remedy = "They respond during training, or while this command runs on them."
    return [Finding("workers", f"{text}; no answer from {', '.join(silent)}", remedy)]
