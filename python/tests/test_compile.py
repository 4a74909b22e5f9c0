"""Models of other libraries: what comes out of `compile` says what they say."""

import numpy as np
import pytest

import fhectl
from fhectl.errors import InputError


@pytest.fixture(scope="module")
def mails(spam):
    names, X, y = spam
    return names, X[:2000], y[:2000], X[2000:2600], y[2000:2600]


def agrees(made, model, X, least=0.98):
    same = np.mean(made.predict(X) == model.predict(X))
    assert same >= least, f"the same on {same:.3f} of rows"
    assert made.predict(X).dtype == np.asarray(model.predict(X)).dtype or made.classes_.dtype.kind in "US"
    assert (made.predict(X[:5], fhe="execute") == made.predict(X[:5])).all()


def test_a_pipeline_of_scikit_learn(mails):
    pipeline = pytest.importorskip("sklearn.pipeline")
    pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    _, X, y, X_test, _ = mails
    model = pipeline.make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    made = fhectl.compile(model, X, y, name="mails", progress=False)
    assert made.name == "mails" and any("agreement" in line for line in made.log)
    agrees(made, model, X_test)
    off = np.abs(made.predict_proba(X_test) - model.predict_proba(X_test)).mean()
    assert off < 0.02


def test_a_table_with_words_and_gaps(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("skl2onnx")
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(1)
    frame = pandas.DataFrame({"age": rng.integers(18, 80, 600).astype(float), "color": rng.choice(["red", "green"], 600)})
    y = np.where((frame.age > 50) ^ (frame.color == "red"), "yes", "no")
    frame.loc[rng.random(600) < 0.1, "age"] = np.nan
    steps = ColumnTransformer(
        [("words", OneHotEncoder(handle_unknown="ignore"), ["color"]), ("numbers", SimpleImputer(), ["age"])]
    )
    model = make_pipeline(steps, RandomForestClassifier(10, max_depth=5, random_state=0)).fit(frame, y)
    made = fhectl.compile(model, frame, y, progress=False)
    assert sorted(made.columns) == ["age", "color"] and set(made.classes_) == {"yes", "no"}
    same = np.mean(made.predict(frame[["color", "age"]]) == model.predict(frame))
    assert same > 0.97
    with pytest.raises(InputError, match="color"):
        made.predict(frame[["age"]])


def test_xgboost_by_its_columns(mails):
    xgboost = pytest.importorskip("xgboost")
    pandas = pytest.importorskip("pandas")
    names, X, y, X_test, _ = mails
    frame = pandas.DataFrame(X, columns=names)
    model = xgboost.XGBClassifier(n_estimators=20, max_depth=3).fit(frame, y)
    made = fhectl.compile(model, frame, y, progress=False)
    assert made.columns == list(names)
    test = pandas.DataFrame(X_test, columns=names)
    assert np.mean(made.predict(test[list(names)[::-1]]) == model.predict(test)) >= 0.98
    # Its own arrays, which have no names.
    bare = xgboost.XGBClassifier(n_estimators=5, max_depth=2).fit(X, y)
    agrees(fhectl.compile(bare, X, progress=False), bare, X_test)


def test_lightgbm_with_classes_that_are_words(mails):
    lightgbm = pytest.importorskip("lightgbm")
    _, X, y, X_test, _ = mails
    words = np.asarray(["ham", "spam"])[y]
    model = lightgbm.LGBMClassifier(n_estimators=10, max_depth=3, verbose=-1).fit(X, words)
    agrees(fhectl.compile(model, X, words, progress=False), model, X_test)


def test_catboost(mails):
    catboost = pytest.importorskip("catboost")
    _, X, y, X_test, _ = mails
    model = catboost.CatBoostClassifier(iterations=20, depth=4, verbose=False, allow_writing_files=False).fit(X, y)
    agrees(fhectl.compile(model, X, y, progress=False), model, X_test)


def test_a_regression_is_a_number(mails):
    pytest.importorskip("skl2onnx")
    from sklearn.ensemble import GradientBoostingRegressor

    rng = np.random.default_rng(2)
    X = rng.normal(size=(800, 5))
    y = X[:, 0] * 3 + np.where(X[:, 1] > 0, 2, -2) + rng.normal(0, 0.1, 800)
    model = GradientBoostingRegressor(n_estimators=30, max_depth=3).fit(X, y)
    made = fhectl.compile(model, X, y, progress=False)
    assert made.classes_ is None and made.score(X, model.predict(X)) > 0.98
    with pytest.raises(AttributeError):
        made.scores(X)


def test_files_and_onnx_models(mails, tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.tree import DecisionTreeClassifier

    _, X, y, X_test, _ = mails
    model = DecisionTreeClassifier(max_depth=5, random_state=0).fit(X, y)
    onnx = skl2onnx.to_onnx(model, X[:1].astype(np.float32))
    agrees(fhectl.compile(onnx, X, progress=False), model, X_test)
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.SerializeToString())
    made = fhectl.compile(path, X, name="by-path", exact_thresholds=True, progress=False)
    assert made.name == "by-path"
    agrees(made, model, X_test, least=1.0)


def test_a_torch_module():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    X = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    made = fhectl.compile(module, X, classes=["a", "b", "c"], progress=False, no_finetune=True)
    wanted = np.asarray(["a", "b", "c"])[module(torch.as_tensor(X)).argmax(1).numpy()]
    assert np.mean(made.predict(X, fhe="simulate") == wanted) > 0.95


def test_columns_are_those_that_the_model_was_trained_on(mails):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("skl2onnx")
    from sklearn.tree import DecisionTreeClassifier

    names, X, y, X_test, _ = mails
    frame = pandas.DataFrame(X, columns=names)
    model = DecisionTreeClassifier(max_depth=5, random_state=0).fit(frame, y)
    other = frame[list(names)[::-1]].assign(more=1.0)
    made = fhectl.compile(model, other, y, progress=False)
    assert made.columns == list(names)
    test = pandas.DataFrame(X_test, columns=names)
    agrees(made, model, test)
    with pytest.raises(InputError, match=names[2]):
        fhectl.compile(model, frame.drop(columns=names[2]), y)


@pytest.mark.parametrize("thing", [object(), 3, {"a": 1}])
def test_what_is_no_model_is_refused(thing):
    with pytest.raises(InputError) as caught:
        fhectl.compile(thing, np.zeros((3, 2)))
    assert caught.value.code == "import_format" and "scikit-learn" in caught.value.hint


def test_what_is_not_fitted_is_refused():
    pytest.importorskip("skl2onnx")
    from sklearn.tree import DecisionTreeClassifier

    with pytest.raises(InputError, match="not fitted"):
        fhectl.compile(DecisionTreeClassifier(), np.zeros((3, 2)))


def test_options_that_are_none_and_rows_of_another_width(mails):
    pytest.importorskip("skl2onnx")
    from sklearn.tree import DecisionTreeClassifier

    _, X, y, _, _ = mails
    model = DecisionTreeClassifier(max_depth=3).fit(X, y)
    with pytest.raises(InputError) as caught:
        fhectl.compile(model, X, bitts=3)
    assert caught.value.code == "arguments" and "bitts" in caught.value.message
    with pytest.raises(InputError, match="labels|shape"):
        fhectl.compile(model, X, y[:5])
