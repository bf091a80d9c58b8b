"""Compiled packages of science: SciPy and pandas, and torch without CUDA."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.applications.conftest import Assemble

pytestmark = pytest.mark.long

REPORT = """
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import integrate, linalg, optimize, sparse, stats


def main():
    area, _ = integrate.quad(np.sin, 0, np.pi)
    root = optimize.brentq(lambda x: x**2 - 2, 0, 2)
    inverse = linalg.inv(np.array([[2.0, 0.0], [0.0, 4.0]]))
    diagonal = sparse.linalg.spsolve(sparse.eye(3, format="csc") * 2, np.ones(3))
    print(f"{area:.6f} {root:.6f} {inverse[1, 1]} {diagonal[0]} {stats.norm.cdf(0)}")
    table = pd.read_csv(Path(__file__).parent / "rain.csv", parse_dates=["day"])
    print(table.groupby(table.day.dt.month_name()).mm.sum().to_dict())
    print(table.set_index("day").tz_localize("UTC").tz_convert("Asia/Tokyo").index[0])
    print(table.to_json(orient="records", date_format="iso"))
    print(table.describe().to_string())
"""
RAIN = "day,mm\n2024-05-01,1.5\n2024-05-02,2.5\n2024-06-01,4\n"


def test_scipy_and_pandas_compute(assemble: Assemble) -> None:
    report = assemble(
        "report",
        dependencies=["scipy", "pandas"],
        scripts={"report": "report.main:main"},
        files={"report/__init__.py": "", "report/main.py": REPORT, "report/rain.csv": RAIN},
    )
    told = report.answer("start").splitlines()
    assert told[0] == "2.000000 1.414214 0.25 0.5 0.5"
    assert told[1] == "{'June': 4.0, 'May': 4.0}"
    assert told[2] == "2024-05-01 09:00:00+09:00"
    assert '"mm":1.5' in told[3]
    versions = report.answer(
        "eval", "import numpy, pandas, scipy; numpy.show_config(); pandas.show_versions()"
    )
    assert "commit" in versions


FOREST = """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score


def main():
    x, y = load_iris(return_X_y=True)
    print(cross_val_score(RandomForestClassifier(10, random_state=0), x, y, n_jobs=2).mean() > 0.9)
"""


def test_scikit_learn_computes_in_processes(assemble: Assemble) -> None:
    forest = assemble(
        "forest",
        dependencies=["scikit-learn"],
        scripts={"forest": "forest:main"},
        files={"forest/__init__.py": FOREST},
    )
    # joblib starts workers, and a tracker of resources with the options of its parent; their complaints would be seen.
    assert forest.shell('"$release" start 2>&1') == "True\n"


TRAIN = """
import torch
from torch import nn


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return self.layer(x)


def main():
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 50).unsqueeze(1)
    y = 3 * x + 1
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    print(f"{model.layer.weight.item():.2f} {model.layer.bias.item():.2f}")
    torch.save(model.state_dict(), "/tmp/line.pt")
    print(sorted(torch.load("/tmp/line.pt", weights_only=True)))
    print(torch.__config__.parallel_info().splitlines()[0])
    print(torch.fft.fft(torch.ones(4))[0].item())
"""


def links() -> list[Path]:
    """The directories that pip is told to find wheels in."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [Path(each) for each in f"{os.environ.get('PIP_FIND_LINKS', '')} {done.stdout}".split()]


def cpu_wheel() -> Path:
    """torch's wheel without CUDA for the running Python; the index of packages has only those with it."""
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    for directory in links():
        for wheel in sorted(directory.glob(f"torch-*+cpu-{tag}-{tag}-*.whl")):
            return wheel
    pytest.skip("no wheel torch-*+cpu for this Python in pip's find-links")


def test_torch_trains(assemble: Assemble) -> None:
    wheel = cpu_wheel()
    version = wheel.name.split("-")[1]
    train = assemble(
        "train",
        dependencies=[f"torch=={version}", "numpy"],
        scripts={"train": "train:main"},
        files={"train/__init__.py": TRAIN},
        options='strip = { keep = ["source:torch"] }',  # it reads its own settings' comments
        UV_FIND_LINKS=str(wheel.parent),
    )
    assert train.answer("start").splitlines()[:2] == ["3.00 1.00", "['layer.bias', 'layer.weight']"]
