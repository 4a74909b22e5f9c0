#!/usr/bin/env python3
"""Writes tests/fixtures/boosters: small boosted trees of tables with gaps and categories, and what their tools predict.

    pip install xgboost==3.2 lightgbm==4.7 catboost==1.2.10 onnxmltools onnxruntime pandas scikit-learn
    python3 scripts/make_booster_fixtures.py                  the committed files
    python3 scripts/make_booster_fixtures.py --out DIR --seeds 20
    FHECTL_FIXTURES=DIR cargo test --release --test import_boosters
                                                              others of the same kinds

Tables are made up, from a seed. Beside each model lies a CSV file: the cells of rows that the model has not seen, empty
where there is none, then `predicted` (the class or the number) and one `score_...` a class (what the tool gives as
probabilities). Models whose name ends in `-zeros` were trained with zeros as missing values.
"""

import argparse
import re
import shutil
import warnings
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost

warnings.filterwarnings("ignore")
OUT = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "boosters"
TRAIN, TEST = 300, 60
# Seeds beside the first of which the kinds are committed whose scores the tools write in many ways.
MORE_SEEDS = 3
SCORES = re.compile("(xgboost|lightgbm|catboost)-(binary|softmax|logitraw|logistic|poisson|gamma|hinge|ova|ova-onnx|entropy|forest|binary-onnx|classes|poisson-onnx)")


class Run:
    """Where files go, and which ones of which seed are written."""

    out, seed, rows, wanted = OUT, 0, TEST, re.compile(".*")


def wants(name):
    return Run.wanted.fullmatch(name.split(".")[0]) is not None
TEXTS = ["Rome", "Oslo", "New York", "Bern"]


def table(seed, gaps=False, categories=None, zeros=False):
    """Rows, and a number that depends on them."""
    random = np.random.default_rng(seed + 1000 * Run.seed)
    count = TRAIN + TEST
    rows = pd.DataFrame({name: random.normal(size=count).round(2) for name in ["a", "b", "c"]})
    rows["tenth"] = random.choice([0.1, 0.3, 0.7, 1.7], count)
    target = rows.a + rows.b * rows.c + (rows.tenth > 0.5)
    if categories:
        rows["city"] = pd.Categorical(random.choice(categories, count).tolist(), categories=categories)
        rows["kind"] = pd.Categorical(random.choice(["u", "v", "w"], count))
        target = target + (rows.city.cat.codes % 2) * 1.5 + (rows.kind == "v")
    if zeros:
        for name in ["a", "b"]:
            rows.loc[random.random(count) < 0.3, name] = 0
    if gaps:
        for name in ["a", "b", "tenth"]:
            missing = random.random(count) < 0.2
            rows.loc[missing, name] = np.nan
            target = target + missing * random.normal()
        if categories:
            rows.loc[random.random(count) < 0.1, "city"] = np.nan
    return rows, target.to_numpy() + random.normal(size=count) * 0.3


def two(target):
    return (target > np.median(target)).astype(int)


def most(target):
    return (target > np.quantile(target, 0.374)).astype(int)


def four(target):
    return np.digitize(target, np.quantile(target, [0.3, 0.6, 0.8]))


def number(target):
    return target


def positive(target):
    return np.exp(target * 0.3) + 0.01


def count(target):
    return np.floor(np.exp(target * 0.4)).astype(int)


def share(target):
    return 1 / (1 + np.exp(-target))


def save(name, rows, predicted, scores=None):
    """What a tool says of the last rows; scores are one a class."""
    rows = rows.iloc[TRAIN:].copy()
    rows["predicted"] = np.asarray(predicted).ravel()
    for at, score in enumerate([] if scores is None else np.asarray(scores, dtype=np.float64).T):
        rows[f"score_{at}"] = [f"{value:.9g}" for value in score]
    rows[: Run.rows].to_csv(Run.out / f"{name.split('.')[0]}.csv", index=False)
    print(name, (Run.out / name).stat().st_size, flush=True)


def xgboost_models():
    options = {"n_estimators": 4, "max_depth": 3, "learning_rate": 0.4, "random_state": 1}
    plain, gaps, zeros = table(1), table(2, gaps=True), table(3, zeros=True)
    texts, numbers = table(4, gaps=True, categories=TEXTS), table(5, categories=[10, 3, 7, 20])
    for name, (rows, target), of, extra in [
        ("xgboost-gaps.json", gaps, two, {}),
        ("xgboost-gaps-classes.ubj", gaps, four, {}),
        ("xgboost-gaps-number.json", gaps, number, {}),
        ("xgboost-gaps-dart.ubj", gaps, two, {"booster": "dart", "rate_drop": 0.3}),
        ("xgboost-forest.json", gaps, number, {"num_parallel_tree": 3, "subsample": 0.6, "learning_rate": 1, "n_estimators": 2}),
        ("xgboost-texts.json", texts, two, {"enable_categorical": True}),
        ("xgboost-texts-number.ubj", texts, number, {"enable_categorical": True, "max_cat_to_onehot": 1}),
        ("xgboost-numbers.json", numbers, two, {"enable_categorical": True}),
        ("xgboost-zeros.json", zeros, two, {"missing": 0.0}),
        ("xgboost-logitraw.json", plain, two, {"objective": "binary:logitraw"}),
        ("xgboost-hinge.json", plain, two, {"objective": "binary:hinge"}),
        ("xgboost-logistic.json", plain, share, {"objective": "reg:logistic"}),
        ("xgboost-poisson.json", plain, count, {"objective": "count:poisson"}),
        ("xgboost-gamma.ubj", plain, positive, {"objective": "reg:gamma"}),
        ("xgboost-tweedie.json", plain, positive, {"objective": "reg:tweedie"}),
        ("xgboost-cox.json", plain, positive, {"objective": "survival:cox"}),
        ("xgboost-quantile.json", plain, number, {"objective": "reg:quantileerror", "quantile_alpha": 0.7}),
        ("xgboost-constant.json", plain, most, {"gamma": 1e9}),
        ("xgboost-binary.json", plain, two, {}),
        ("xgboost-softmax.ubj", plain, four, {"objective": "multi:softmax", "num_class": 4}),
        ("xgboost-absolute.json", plain, number, {"objective": "reg:absoluteerror"}),
        ("xgboost-linear.json", plain, two, {"booster": "gblinear", "max_depth": None}),
        ("xgboost-linear-number.json", plain, number, {"booster": "gblinear", "max_depth": None}),
        ("xgboost-base-score.json", plain, two, {"base_score": 0.2, "scale_pos_weight": 3}),
    ]:
        if not wants(name):
            continue
        labels = of(target)
        classes = of in (two, most, four)
        kind = xgboost.XGBClassifier if classes else xgboost.XGBRegressor
        model = kind(**{**options, **extra}).fit(rows[:TRAIN], labels[:TRAIN])
        model.save_model(Run.out / name)
        unseen = rows[TRAIN:]
        save(name, rows, model.predict(unseen), model.predict_proba(unseen) if classes else None)


def lightgbm_models():
    options = {"num_leaves": 5, "min_data_in_leaf": 5, "learning_rate": 0.3, "verbose": -1, "min_data_per_group": 5}
    plain, gaps, zeros = table(11), table(12, gaps=True), table(13, zeros=True)
    texts, numbers = table(14, gaps=True, categories=TEXTS), table(15, categories=[10, 3, 7, 20])
    for name, (rows, target), of, extra in [
        ("lightgbm-binary", gaps, two, {"objective": "binary", "sigmoid": 2.0}),
        ("lightgbm-classes", gaps, four, {"objective": "multiclass", "num_class": 4}),
        ("lightgbm-ova", plain, four, {"objective": "multiclassova", "num_class": 4, "sigmoid": 0.7}),
        ("lightgbm-number", gaps, number, {"objective": "regression"}),
        ("lightgbm-sqrt", plain, number, {"objective": "regression", "reg_sqrt": True}),
        ("lightgbm-poisson", plain, count, {"objective": "poisson"}),
        ("lightgbm-entropy", plain, share, {"objective": "cross_entropy"}),
        ("lightgbm-entropy-lambda", plain, share, {"objective": "cross_entropy_lambda"}),
        ("lightgbm-forest", gaps, two, {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("lightgbm-zero-as-missing", zeros, two, {"objective": "binary", "zero_as_missing": True}),
        ("lightgbm-no-missing", gaps, number, {"objective": "regression", "use_missing": False}),
        ("lightgbm-gamma", plain, positive, {"objective": "gamma"}),
        ("lightgbm-tweedie", plain, positive, {"objective": "tweedie"}),
        ("lightgbm-l1", plain, number, {"objective": "regression_l1"}),
        ("lightgbm-quantile", plain, number, {"objective": "quantile", "alpha": 0.3}),
        ("lightgbm-huber", plain, number, {"objective": "huber"}),
        ("lightgbm-unbalanced", plain, most, {"objective": "binary", "is_unbalance": True, "boost_from_average": False}),
        ("lightgbm-forest-classes", plain, four, {"objective": "multiclass", "num_class": 4, "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("lightgbm-forest-number", plain, number, {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("lightgbm-dart", plain, two, {"objective": "binary", "boosting": "dart", "drop_rate": 0.5}),
        ("lightgbm-texts", texts, two, {"objective": "binary"}),
        ("lightgbm-numbers", numbers, number, {"objective": "regression", "max_cat_to_onehot": 1}),
    ]:
        if not wants(name):
            continue
        labels = of(target)
        model = lightgbm.train({**options, **extra}, lightgbm.Dataset(rows[:TRAIN], label=labels[:TRAIN]), 4)
        model.save_model(Run.out / f"{name}.txt")
        scores = model.predict(rows[TRAIN:])
        if of in (two, most):
            scores = np.column_stack([1 - scores, scores])
        classes = of in (two, most, four)
        save(f"{name}.txt", rows, scores.argmax(axis=1) if classes else scores, scores if classes else None)


def catboost_models():
    options = {"iterations": 4, "depth": 3, "learning_rate": 0.3, "verbose": 0, "one_hot_max_size": 50,
               "allow_writing_files": False, "random_seed": 1}
    plain, gaps, texts = table(21), table(22, gaps=True), table(23, categories=TEXTS)
    for name, (rows, target), of, extra in [
        ("catboost-binary", gaps, two, {"loss_function": "Logloss"}),
        ("catboost-binary-max", gaps, two, {"loss_function": "Logloss", "nan_mode": "Max"}),
        ("catboost-classes", plain, four, {"loss_function": "MultiClass"}),
        ("catboost-ova", plain, four, {"loss_function": "MultiClassOneVsAll"}),
        ("catboost-number", gaps, number, {"loss_function": "RMSE"}),
        ("catboost-quantile", plain, number, {"loss_function": "Quantile:alpha=0.7"}),
        ("catboost-poisson", plain, count, {"loss_function": "Poisson"}),
        ("catboost-mae", plain, number, {"loss_function": "MAE"}),
        ("catboost-tweedie", plain, positive, {"loss_function": "Tweedie:variance_power=1.5"}),
        ("catboost-entropy", plain, two, {"loss_function": "CrossEntropy"}),
        ("catboost-weighted", plain, two, {"loss_function": "Logloss", "scale_pos_weight": 4}),
        ("catboost-lossguide", gaps, number, {"loss_function": "RMSE", "grow_policy": "Lossguide", "max_leaves": 6}),
        ("catboost-depthwise", gaps, four, {"loss_function": "MultiClass", "grow_policy": "Depthwise"}),
        ("catboost-texts", texts, two, {"loss_function": "Logloss"}),
    ]:
        if not wants(name):
            continue
        labels = of(target)
        classes = of in (two, four)
        columns = [column for column in ["city", "kind"] if column in rows]
        kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
        pool = catboost.Pool(rows[:TRAIN], labels[:TRAIN], cat_features=columns)
        model = kind(**options, **extra).fit(pool)
        predicted = model.predict(rows[TRAIN:])
        scores = model.predict_proba(rows[TRAIN:]) if classes else None
        model.save_model(Run.out / f"{name}.json", format="json", pool=pool)
        save(f"{name}.json", rows, predicted, scores)
        if name in ("catboost-binary", "catboost-ova", "catboost-poisson", "catboost-classes", "catboost-number"):
            onnx = f"{name}-onnx.onnx"
            model.save_model(Run.out / onnx, format="onnx")
            save(onnx, rows, predicted, scores)


def onnx_models():
    """LightGBM and histogram trees through ONNX, whose nodes say where missing values go."""
    import onnxruntime
    from make_import_fixtures import plain_integers
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType
    from skl2onnx import to_onnx
    from sklearn.ensemble import HistGradientBoostingClassifier

    plain_integers()
    gaps, codes = table(31, gaps=True), table(32, categories=[0, 1, 2, 3])
    coded = codes[0].assign(city=codes[0].city.cat.codes, kind=codes[0].kind.cat.codes)

    def trees(**extra):
        return lightgbm.LGBMClassifier(n_estimators=4, num_leaves=5, verbose=-1, min_child_samples=5, **extra)

    def convert(model, width):
        return convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, width]))], zipmap=False)

    for name, rows, target, model, of in [
        ("onnx-lightgbm-gaps", gaps[0], gaps[1], trees(), convert),
        ("onnx-lightgbm-codes", coded, codes[1], trees(min_data_per_group=5, max_cat_to_onehot=1), convert),
        ("onnx-hist-gaps", gaps[0], gaps[1], HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5), None),
    ]:
        if not wants(name):
            continue
        matrix = rows.to_numpy().astype(np.float32)
        fixed = {"categorical_feature": [4, 5]} if name.endswith("codes") else {}
        model.fit(matrix[:TRAIN], two(target)[:TRAIN], **fixed)
        if of:
            onnx = of(model, matrix.shape[1])
        else:
            onnx = to_onnx(model, matrix[:1], options={"zipmap": False})
        (Run.out / f"{name}.onnx").write_bytes(onnx.SerializeToString())
        session = onnxruntime.InferenceSession(Run.out / f"{name}.onnx")
        label, scores = session.run(None, {session.get_inputs()[0].name: matrix[TRAIN:]})[:2]
        save(f"{name}.onnx", rows, label, scores)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", type=Path, default=OUT)
    arguments.add_argument("--seeds", type=int, help="all kinds of so many seeds [default: all of seed 0, scores of others]")
    arguments = arguments.parse_args()
    shutil.rmtree(arguments.out, ignore_errors=True)
    for Run.seed in range(arguments.seeds or 1 + MORE_SEEDS):
        if Run.seed:
            Run.out, Run.rows = arguments.out / f"seed{Run.seed}", TEST // 2
            Run.wanted = Run.wanted if arguments.seeds else SCORES
        else:
            Run.out = arguments.out
        Run.out.mkdir(parents=True, exist_ok=True)
        xgboost_models()
        lightgbm_models()
        catboost_models()
        onnx_models()
