"""Makes `compiled_model` anew from a model that another library trained, or trains one.

    python creating_models.py ROWS.csv TARGET                   trains a model of this kind (@kind@)
    python creating_models.py ROWS.csv TARGET MODEL_FILE        compiles ONNX, or what XGBoost, LightGBM or CatBoost save

ROWS.csv has a header. With pipelines of scikit-learn in memory use `fhectl.compile(pipeline, X_train, y_train)`.
"""

import pathlib
import shutil
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
KIND, NAME = "@kind@", "@name@"

if len(sys.argv) not in (3, 4):
    sys.exit(__doc__)
rows, target, *model = sys.argv[1:]
if not model and KIND == "import":
    sys.exit("this model was imported: give the file of a model, too\n" + __doc__)
kind = ["import", model[0]] if model else [KIND]
made = FOLDER / "made"
command = ["create", *kind, "--data", rows, "--target", target, "--name", NAME, "--out", str(made), "--force"]
subprocess.run([sys.executable, "-m", "fhectl", *command], check=True)

# Old files go only once the new ones are there.
shutil.rmtree(FOLDER / "compiled_model", ignore_errors=True)
shutil.move(made / NAME, FOLDER / "compiled_model")
made.rmdir()
