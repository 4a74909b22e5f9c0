"""The example notebooks run from their first cell to the last."""

import pytest

from conftest import CHECKOUT

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
for package in ("ipykernel", "matplotlib", "pandas", "skl2onnx", "sklearn", "xgboost"):
    pytest.importorskip(package)

NOTEBOOKS = CHECKOUT / "python" / "notebooks"


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
@pytest.mark.filterwarnings("ignore")
def test_a_notebook_runs(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    # A cell that shows a figure does so.
    assert any("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
