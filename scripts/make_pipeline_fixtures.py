#!/usr/bin/env python3
"""Writes tests/fixtures/pipelines: small scikit-learn pipelines as skl2onnx exports them, and what scikit-learn predicts.

    pip install scikit-learn skl2onnx pandas
    python3 scripts/make_pipeline_fixtures.py                 the committed files
    python3 scripts/make_pipeline_fixtures.py --out DIR --seeds 20
    FHECTL_FIXTURES=DIR cargo test --release --test pipelines others of the same kinds

Beside each model lies a CSV file: the cells of rows as a table has them, then `prediction` and, of classifiers, `p_CLASS`,
scikit-learn's probabilities; of outlier detectors `score`. Models that are refused have no rows. Data are made up.
"""

import argparse
import csv
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from make_import_fixtures import plain_integers

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "fixtures" / "pipelines"
TEST_ROWS = 30
# Seeds beside the first of which the kinds are committed whose scores the exporters write in many ways.
MORE_SEEDS = 3
SCORES = re.compile("random-.*")

WORDS = "free money now meeting offer the a project report win prize lunch team deadline click budget it's e-mail x y2 re_set".split()


def people(seed, rows=400):
    """A table with gaps, words, whole numbers and texts, and three kinds of target."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 80, rows).astype(float)
    fare = np.round(rng.lognormal(3, 0.8, rows), 3)
    color = rng.choice(["blue", "red", "green", "NA"], rows)
    city = rng.choice(["Oslo", "Lima", "New York", "Bergen, Norway"], rows, p=[0.4, 0.3, 0.2, 0.1])
    level = rng.integers(1, 4, rows).astype(float)
    score = 0.04 * (age - 40) + 0.8 * (color == "red") - 1.2 * (city == "Lima") + 0.7 * (level - 2) + 0.4 * np.log(fare)
    score = score + rng.normal(0, 0.7, rows)
    text = []
    for value in score:
        p = np.linspace(1, 3 if value > 1.2 else 0.2, len(WORDS))
        words = rng.choice(WORDS, rng.integers(2, 12), p=p / p.sum())
        text.append("".join(w.capitalize() + rng.choice([" ", ", ", "! ", " - "]) if rng.random() < 0.3 else w + " " for w in words))
    binary = (score > np.median(score)).astype(int)
    three = np.digitize(score, np.quantile(score, [0.4, 0.75]))
    table = pd.DataFrame({"age": age, "fare": fare, "color": color, "city": city, "level": level, "text": text})
    return table, binary, three, np.exp(0.4 * score), rng


def numbers(seed, rows=400, features=6):
    """Numbers only; two classes, three classes, a positive target."""
    rng = np.random.default_rng(1000 + seed)
    x = rng.normal(0, 1, (rows, features)) * np.array([1, 5, 0.2, 30, 1, 2])[:features] + np.array([0, 10, 1, 100, -3, 2])[:features]
    z = (x - x.mean(0)) / x.std(0)
    score = z[:, 0] - 0.8 * z[:, 1] + 0.5 * z[:, 2] * z[:, 3] + 0.6 * z[:, 4] + rng.normal(0, 0.5, rows)
    return x, (score > 0).astype(int), np.digitize(score, [-0.7, 0.7]), np.exp(0.3 * score), rng


def cases(seed):
    """Name, model, table, target, how its inputs are declared, options of the exporter."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
    from sklearn.ensemble import (
        AdaBoostClassifier,
        AdaBoostRegressor,
        BaggingClassifier,
        BaggingRegressor,
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        IsolationForest,
        RandomForestClassifier,
        RandomForestRegressor,
        StackingClassifier,
        StackingRegressor,
        VotingClassifier,
        VotingRegressor,
    )
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.feature_selection import SelectKBest, VarianceThreshold
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.linear_model import (
        GammaRegressor,
        HuberRegressor,
        Lasso,
        LinearRegression,
        LogisticRegression,
        Perceptron,
        PoissonRegressor,
        Ridge,
        RidgeClassifier,
        SGDClassifier,
        TweedieRegressor,
    )
    from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
    from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import (
        Binarizer,
        FunctionTransformer,
        KBinsDiscretizer,
        MaxAbsScaler,
        MinMaxScaler,
        Normalizer,
        OneHotEncoder,
        OrdinalEncoder,
        PolynomialFeatures,
        PowerTransformer,
        QuantileTransformer,
        RobustScaler,
        StandardScaler,
    )
    from sklearn.svm import SVC, LinearSVC, OneClassSVM
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    table, binary, three, positive, rng = people(seed)
    x, xb, x3, xp, _ = numbers(seed)
    nums = pd.DataFrame(x, columns=[f"f{i}" for i in range(x.shape[1])])
    gaps = nums.mask(rng.random(nums.shape) < 0.15)
    named = np.array(["low", "middle", "top"])[x3]

    def lr(**k):
        return LogisticRegression(max_iter=3000, **k)

    def forest(n=6, d=4, **k):
        return RandomForestClassifier(n, max_depth=d, random_state=seed, **k)

    mixed = table[["age", "fare", "color", "city", "level"]]
    encode = [("num", StandardScaler(), ["age", "fare"]), ("cat", OneHotEncoder(handle_unknown="ignore"), ["color", "city"])]
    order = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    holes = mixed.copy()
    holes.loc[rng.random(len(holes)) < 0.2, "age"] = np.nan
    holes.loc[rng.random(len(holes)) < 0.2, "fare"] = np.nan
    scaled = pd.DataFrame(MinMaxScaler().fit_transform(x), columns=nums.columns)
    counts = pd.DataFrame(rng.poisson(2, x.shape) * (1 + 2 * (x3[:, None] == np.arange(x.shape[1]) % 3)), columns=nums.columns).astype(float)
    text = table[["text"]]

    yield "ct-onehot-logreg", make_pipeline(ColumnTransformer(encode), lr()), mixed, binary, "columns", {}
    yield "ct-onehot-passthrough-logreg3", make_pipeline(ColumnTransformer(encode, remainder="passthrough"), lr()), mixed, three, "columns", {}
    yield "ct-onehot-drop-logreg", make_pipeline(ColumnTransformer([("c", OneHotEncoder(drop="first", handle_unknown="ignore"), ["color"]), ("n", "passthrough", ["age"])]), lr()), mixed[["color", "age"]], binary, "columns", {}
    yield "ct-onehot-forest", make_pipeline(ColumnTransformer(encode[1:], remainder="passthrough"), forest()), mixed, binary, "columns", {}
    yield "ct-onehot-number-logreg", make_pipeline(ColumnTransformer([("l", OneHotEncoder(handle_unknown="ignore"), ["level"]), ("n", StandardScaler(), ["age"])]), lr()), mixed[["level", "age"]], binary, "columns", {}
    yield "ct-ordinal-forest", make_pipeline(ColumnTransformer([("n", "passthrough", ["age", "fare"]), ("o", order, ["color", "city"])]), forest()), mixed, three, "columns", {}
    yield "ct-ordinal-plain-forest", make_pipeline(ColumnTransformer([("n", "passthrough", ["age", "fare"]), ("o", OrdinalEncoder(), ["color", "city"])]), forest()), mixed, binary, "columns", {}
    yield "ct-ordinal-hist", make_pipeline(ColumnTransformer([("n", "passthrough", ["age", "fare"]), ("o", OrdinalEncoder(), ["color", "city"])]), HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=6)), holes, binary, "columns", {}
    yield "ordinal-number-logreg", make_pipeline(ColumnTransformer([("o", OrdinalEncoder(), ["level"]), ("n", MinMaxScaler(), ["age"])]), lr()), mixed[["level", "age"]], binary, "columns", {}
    yield "ct-impute-logreg", make_pipeline(ColumnTransformer([("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["age", "fare"]), ("c", OneHotEncoder(handle_unknown="ignore"), ["color"])]), lr()), holes, binary, "columns", {}
    yield "impute-logreg", make_pipeline(SimpleImputer(), StandardScaler(), lr()), gaps, xb, "float", {}
    yield "impute-constant-forest", make_pipeline(SimpleImputer(strategy="constant", fill_value=-7), forest()), gaps, x3, "float", {}
    yield "hist-missing", HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=6), gaps, xb, "float", {}
    yield "hist-missing3", HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=6), gaps, x3, "float", {}
    yield "pca-logreg", make_pipeline(StandardScaler(), PCA(3), lr()), nums, xb, "float", {}
    yield "pca-whiten-logreg-double", make_pipeline(StandardScaler(), PCA(3, whiten=True), lr()), nums, x3, "double", {}
    yield "pca-forest", make_pipeline(StandardScaler(), PCA(3), forest()), nums, xb, "float", {}
    yield "svd-logreg", make_pipeline(TruncatedSVD(3), lr()), nums, x3, "float", {}
    yield "lda-transform-tree", make_pipeline(StandardScaler(), PCA(2), DecisionTreeClassifier(max_depth=4)), nums, x3, "float", {}
    yield "union-logreg", make_pipeline(FeatureUnion([("s", StandardScaler()), ("p", PCA(2))]), lr()), nums, xb, "float", {}
    yield "union-weights-ridge", make_pipeline(FeatureUnion([("s", StandardScaler()), ("m", MinMaxScaler())], transformer_weights={"s": 0.5, "m": 2.0}), Ridge()), nums, xp, "float", {}
    yield "poly-logreg", make_pipeline(StandardScaler(), PolynomialFeatures(2), lr()), nums, xb, "float", {}
    yield "poly3-interaction-logreg", make_pipeline(MinMaxScaler(), PolynomialFeatures(3, interaction_only=True, include_bias=False), lr()), nums, x3, "float", {}
    yield "poly-forest", make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), forest()), nums, xb, "float", {}
    yield "kbins-onehot-logreg", make_pipeline(KBinsDiscretizer(4, encode="onehot-dense"), lr()), nums, xb, "float", {}
    yield "kbins-ordinal-logreg", make_pipeline(KBinsDiscretizer(4, encode="ordinal"), lr()), nums, x3, "float", {}
    yield "quantile-logreg", make_pipeline(QuantileTransformer(n_quantiles=20), lr()), nums, xb, "float", {}
    yield "power-logreg", make_pipeline(PowerTransformer(), lr()), nums, xb, "float", {}
    yield "power-plain-logreg", make_pipeline(PowerTransformer(standardize=False), lr()), scaled, xb, "float", {}
    yield "boxcox-logreg", make_pipeline(PowerTransformer(method="box-cox"), lr()), counts + 1, xb, "float", {}
    yield "binarizer-logreg", make_pipeline(StandardScaler(), Binarizer(threshold=0.2), lr()), nums, xb, "float", {}
    yield "normalizer-part-logreg", make_pipeline(ColumnTransformer([("n", Normalizer(), [0, 1, 2]), ("s", StandardScaler(), [3, 4])]), lr()), nums, xb, "float", {}
    yield "normalizer-l1-forest", make_pipeline(Normalizer("l1"), forest()), scaled, xb, "float", {}
    yield "maxabs-robust-svc", make_pipeline(MaxAbsScaler(), RobustScaler(), LinearSVC()), nums, x3, "float", {}
    yield "select-logreg", make_pipeline(SelectKBest(k=3), StandardScaler(), lr()), nums, xb, "float", {}
    yield "variance-forest", make_pipeline(VarianceThreshold(0.1), forest()), nums, xb, "float", {}
    yield "tfidf-logreg", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(), "text")]), lr()), text, binary, "columns", {}
    yield "tfidf-bigrams-logreg", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(ngram_range=(1, 2), min_df=4), "text"), ("n", StandardScaler(), ["age"])]), lr()), table[["text", "age"]], three, "columns", {}
    yield "count-nb", make_pipeline(ColumnTransformer([("t", CountVectorizer(), "text")]), MultinomialNB()), text, binary, "columns", {}
    yield "count-binary-svc", make_pipeline(ColumnTransformer([("t", CountVectorizer(binary=True, lowercase=False), "text")]), LinearSVC()), text, binary, "columns", {}
    yield "tfidf-forest", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(norm=None), "text")]), forest()), text, three, "columns", {}
    yield "vote-soft-linear", VotingClassifier([("a", lr()), ("b", make_pipeline(StandardScaler(), lr(C=0.1)))], voting="soft", weights=np.array([2, 1]), flatten_transform=False), nums, x3, "float", {}
    yield "vote-soft-trees", VotingClassifier([("a", forest()), ("b", ExtraTreesClassifier(5, max_depth=4, random_state=1))], voting="soft", flatten_transform=False), nums, x3, "float", {}
    yield "vote-hard-linear", VotingClassifier([("a", lr()), ("b", lr(C=0.01)), ("c", RidgeClassifier())], flatten_transform=False), nums, x3, "float", {}
    yield "vote-hard-trees", VotingClassifier([("a", DecisionTreeClassifier(max_depth=2)), ("b", DecisionTreeClassifier(max_depth=3)), ("c", forest(3))], flatten_transform=False), nums, xb, "float", {}
    yield "vote-regression", VotingRegressor([("a", Ridge()), ("b", LinearRegression())]), nums, xp, "float", {}
    yield "bagging-trees", BaggingClassifier(DecisionTreeClassifier(max_depth=3), 5, random_state=1), nums, x3, "float", {}
    yield "bagging-part-trees", BaggingClassifier(DecisionTreeClassifier(max_depth=3), 5, max_features=0.6, random_state=1), nums, xb, "float", {}
    yield "bagging-linear", BaggingClassifier(lr(), 4, random_state=1), nums, xb, "float", {}
    yield "bagging-regression", BaggingRegressor(DecisionTreeRegressor(max_depth=3), 5, random_state=1), nums, xp, "float", {}
    yield "adaboost", AdaBoostClassifier(n_estimators=8, random_state=1), nums, xb, "float", {}
    yield "adaboost3", AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=6, random_state=1), nums, x3, "float", {}
    yield "adaboost-linear", AdaBoostClassifier(lr(), n_estimators=4, random_state=1), nums, xb, "float", {}
    yield "calibrated-sigmoid-svc", CalibratedClassifierCV(LinearSVC(), cv=3), nums, xb, "float", {}
    yield "calibrated-sigmoid-svc3", CalibratedClassifierCV(LinearSVC(), cv=3), nums, x3, "float", {}
    yield "calibrated-isotonic-svc", CalibratedClassifierCV(LinearSVC(), method="isotonic", cv=3), nums, xb, "float", {}
    yield "calibrated-isotonic3", CalibratedClassifierCV(lr(), method="isotonic", cv=3), nums, x3, "float", {}
    yield "calibrated-forest", CalibratedClassifierCV(forest(), cv=2), nums, xb, "float", {}
    yield "stack-linear", StackingClassifier([("a", lr()), ("b", make_pipeline(MinMaxScaler(), lr(C=0.1)))], lr()), nums, xb, "float", {}
    yield "stack-linear3", StackingClassifier([("a", lr()), ("b", LinearDiscriminantAnalysis())], lr()), nums, x3, "float", {}
    yield "stack-regression", StackingRegressor([("a", Ridge()), ("b", Lasso())], Ridge()), nums, xp, "float", {}
    yield "stack-trees", StackingClassifier([("a", forest()), ("b", ExtraTreesClassifier(4, max_depth=3, random_state=1))], lr()), nums, xb, "float", {}
    yield "ovr-logreg", OneVsRestClassifier(lr()), nums, x3, "float", {}
    yield "ovr-logreg-double", make_pipeline(StandardScaler(), OneVsRestClassifier(lr())), nums, x3, "double", {}
    yield "ovr-svc", OneVsRestClassifier(LinearSVC()), nums, named, "float", {}
    yield "ovr-tree", OneVsRestClassifier(DecisionTreeClassifier(max_depth=3)), nums, x3, "float", {}
    yield "ovo-logreg", OneVsOneClassifier(lr()), nums, x3, "float", {}
    yield "ovo-svc", OneVsOneClassifier(LinearSVC()), nums, x3, "float", {}
    yield "svc-linear3", make_pipeline(StandardScaler(), SVC(kernel="linear")), nums, x3, "float", {}
    yield "svc-linear-proba", make_pipeline(StandardScaler(), SVC(kernel="linear", probability=True, random_state=1)), nums, xb, "float", {}
    yield "isolation-forest", IsolationForest(n_estimators=6, max_samples=64, random_state=1), nums, None, "float", {}
    yield "gaussian-nb", GaussianNB(), nums, xb, "float", {}
    yield "gaussian-nb3-double", GaussianNB(), nums, x3, "double", {}
    yield "qda", QuadraticDiscriminantAnalysis(), nums, x3, "float", {}
    yield "qda-double", QuadraticDiscriminantAnalysis(), nums, xb, "double", {}
    yield "multinomial-nb", MultinomialNB(), counts, x3, "float", {}
    yield "bernoulli-nb", BernoulliNB(binarize=2.5), counts, x3, "float", {}
    yield "complement-nb", ComplementNB(), counts, x3, "float", {}
    yield "lda", LinearDiscriminantAnalysis(), nums, x3, "float", {}
    yield "sgd-log3", make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1, alpha=0.01)), nums, x3, "float", {}
    yield "sgd-log", make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=1, alpha=0.01)), nums, xb, "float", {}
    yield "sgd-huber3", make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber", random_state=1, alpha=0.01)), nums, x3, "float", {}
    yield "sgd-huber", make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber", random_state=1, alpha=0.01)), nums, xb, "float", {}
    yield "perceptron3", make_pipeline(StandardScaler(), Perceptron(random_state=1)), nums, x3, "float", {}
    yield "ridge-classifier", make_pipeline(StandardScaler(), RidgeClassifier()), nums, named, "float", {}
    yield "logreg-double", make_pipeline(StandardScaler(), lr()), nums, xb, "double", {}
    yield "logreg3-double", make_pipeline(StandardScaler(), lr()), nums, named, "double", {}
    yield "poisson", make_pipeline(StandardScaler(), PoissonRegressor()), nums, xp, "float", {}
    yield "gamma", make_pipeline(StandardScaler(), GammaRegressor()), nums, xp, "float", {}
    yield "tweedie", make_pipeline(StandardScaler(), TweedieRegressor(power=1.5)), nums, xp, "double", {}
    yield "huber", HuberRegressor(max_iter=2000), nums, xp, "float", {}
    yield "boosting", GradientBoostingClassifier(n_estimators=8, max_depth=2, random_state=1), nums, xb, "float", {}
    yield "boosting-exponential", GradientBoostingClassifier(loss="exponential", n_estimators=8, max_depth=2, random_state=1), nums, xb, "float", {}
    yield "refused-adaboost-regression", AdaBoostRegressor(n_estimators=4, random_state=1), nums, xp, "float", {}
    yield "knn", make_pipeline(StandardScaler(), KNeighborsClassifier(5)), nums[:120], xb[:120], "float", {}
    yield "knn3", KNeighborsClassifier(3), scaled[:120], named[:120], "float", {}
    yield "refused-knn-distance", KNeighborsClassifier(3, weights="distance"), scaled[:120], xb[:120], "float", {}
    yield "knn-regression", make_pipeline(StandardScaler(), KNeighborsRegressor(4)), nums[:120], xp[:120], "float", {}
    yield "refused-knn-manhattan", KNeighborsClassifier(3, metric="manhattan"), scaled[:120], xb[:120], "float", {}
    yield "refused-stack-of-both", StackingClassifier([("a", lr()), ("b", forest(3))], lr()), nums, xb, "float", {}
    yield "refused-stack-forest", StackingClassifier([("a", lr())], forest(3)), nums, xb, "float", {}
    yield "refused-vectorizer-letters", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(analyzer="char"), "text")]), lr()), text, binary, "columns", {}
    yield "refused-vectorizer-pattern", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(token_pattern="[a-z]+"), "text")]), lr()), text, binary, "columns", {}
    yield "refused-kernel", make_pipeline(StandardScaler(), SVC()), nums[:120], xb[:120], "float", {}
    yield "ct-rare-logreg", make_pipeline(ColumnTransformer([("c", OneHotEncoder(min_frequency=60, handle_unknown="infrequent_if_exist"), ["color", "city"]), ("n", "passthrough", ["age"])]), lr()), mixed[["color", "city", "age"]], binary, "columns", {}
    yield "categorical-nb", CategoricalNB(), pd.DataFrame(rng.integers(0, 4, (400, 4)).astype(float), columns=list("abcd")), x3, "float", {}
    yield "pca-poly-logreg", make_pipeline(StandardScaler(), PCA(3), PolynomialFeatures(2), lr()), nums, xb, "float", {}
    yield "pca-normalizer-logreg", make_pipeline(StandardScaler(), PCA(3), Normalizer(), lr()), nums, xb, "float", {}
    yield "pca-nb", make_pipeline(StandardScaler(), PCA(3), GaussianNB()), nums, x3, "float", {}
    yield "ct-onehot-pca-logreg", make_pipeline(ColumnTransformer([("n", StandardScaler(), ["age", "fare"]), ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["color", "city"])]), PCA(4), lr()), mixed, binary, "columns", {}
    yield "tfidf-counts-logreg", make_pipeline(ColumnTransformer([("a", TfidfVectorizer(), "text"), ("b", CountVectorizer(binary=True), "text"), ("c", OneHotEncoder(handle_unknown="ignore"), ["color"])]), lr()), table[["text", "color"]], binary, "columns", {}
    yield "tfidf-svd-logreg", make_pipeline(ColumnTransformer([("t", TfidfVectorizer(), "text")]), TruncatedSVD(5), lr()), text, three, "columns", {}
    yield "vote-nb-logreg", VotingClassifier([("a", lr()), ("b", GaussianNB())], voting="soft", flatten_transform=False), nums, xb, "float", {}
    yield "one-class-svm", OneClassSVM(kernel="linear", nu=0.3), scaled, None, "float", {}
    yield "logreg-one-feature-double", lr(), nums[["f0"]], xb, "double", {}
    yield from random_models(seed)
    yield "poisson-one-feature", PoissonRegressor(), nums[["f0"]], xp, "float", {}


def random_models(seed):
    """Models whose scores exporters write in different ways, of random size and settings."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import VotingClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(7000 + seed)
    x, two, _, _, _ = numbers(500 + seed, 240)
    x = x[:, : rng.integers(2, 7)]
    nums = pd.DataFrame(x, columns=[f"f{i}" for i in range(x.shape[1])])
    count = int(rng.integers(3, 6))
    many = np.digitize(x[:, 0] + rng.normal(0, 0.5, len(x)), np.quantile(x[:, 0], np.linspace(0, 1, count + 1)[1:-1]))
    names = np.array(["n", "y"])[two] if rng.random() < 0.5 else two
    words = np.array(["a", "b b", "c,d", "e", "f"])[many]
    of_many = words if rng.random() < 0.5 else many

    def lr(**k):
        return LogisticRegression(max_iter=3000, C=float(10 ** rng.uniform(-2, 1)), **k)

    def sgd(loss):
        return SGDClassifier(loss=loss, random_state=seed, alpha=float(10 ** rng.uniform(-3, -1)))

    def how():
        return ["float", "double"][int(rng.integers(2))]

    def weights(n):
        return rng.uniform(0.2, 3, n) if rng.random() < 0.7 else None

    scaled = StandardScaler
    yield "random-logreg", make_pipeline(scaled(), lr()), nums, names, how(), {}
    yield "random-logreg-many", make_pipeline(scaled(), lr()), nums, of_many, how(), {}
    yield "random-logreg-no-constant", lr(fit_intercept=False), nums, names, how(), {}
    yield "random-rows2", RowOfEach(lr(), "SOFTMAX", float(rng.uniform(0.1, 0.9))), nums, two, "float", {}
    yield "random-rows2-logistic", RowOfEach(lr(), "LOGISTIC", float(rng.uniform(0.1, 0.9))), nums, two, "float", {}
    yield "random-rows", RowOfEach(lr(), "SOFTMAX", 0.5), nums, many, "float", {}
    yield "random-rows-logistic", RowOfEach(lr(), "LOGISTIC", 0.5), nums, many, "float", {}
    yield "random-ovr2", OneVsRestClassifier(lr()), nums, two, how(), {}
    yield "random-ovr", OneVsRestClassifier(lr()), nums, of_many, how(), {}
    yield "random-vote2", VotingClassifier([("a", lr()), ("b", make_pipeline(scaled(), lr()))], voting="soft", weights=weights(2), flatten_transform=False), nums, two, "float", {}
    yield "random-vote", VotingClassifier([("a", lr()), ("b", lr()), ("c", lr())], voting="soft", weights=weights(3), flatten_transform=False), nums, many, "float", {}
    yield "random-huber2", make_pipeline(scaled(), sgd("modified_huber")), nums, two, how(), {}
    yield "random-huber", make_pipeline(scaled(), sgd("modified_huber")), nums, many, "float", {}
    yield "random-log", make_pipeline(scaled(), sgd("log_loss")), nums, of_many, how(), {}
    yield "random-calibrated2", CalibratedClassifierCV(LinearSVC(C=0.1), cv=2), nums, two, "float", {}
    yield "random-calibrated", CalibratedClassifierCV(lr(), cv=2), nums, many, "float", {}
    yield "random-tree", DecisionTreeClassifier(max_depth=int(rng.integers(2, 6)), min_samples_leaf=4, random_state=seed), nums, of_many, how(), {}


class RowOfEach:
    """A logistic regression with a row of weights for each class, as scikit-learn before 1.8 makes of two classes and other
    tools of any number; onnxruntime says what it predicts."""

    def __init__(self, model, transform, share):
        self.model, self.transform, self.share = model, transform, share

    def fit(self, x, y):
        self.model.fit(x, y)
        self.classes_ = self.model.classes_
        weights, biases = self.model.coef_, self.model.intercept_
        if len(biases) == 1:
            weights, biases = np.vstack([(self.share - 1) * weights, self.share * weights]), np.hstack([(self.share - 1) * biases, self.share * biases])
        self.weights, self.biases = weights, biases

    def to_onnx(self, width):
        from onnx import TensorProto, helper

        node = helper.make_node(
            "LinearClassifier", ["X"], ["label", "probabilities"], domain="ai.onnx.ml", multi_class=1, post_transform=self.transform,
            coefficients=self.weights.ravel().tolist(), intercepts=self.biases.tolist(), classlabels_ints=self.classes_.tolist(),
        )
        graph = helper.make_graph(
            [node], "model", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, width])],
            [helper.make_tensor_value_info("label", TensorProto.INT64, [None]), helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, len(self.classes_)])],
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
        return helper.make_model(graph, producer_name="skl2onnx", opset_imports=opsets, ir_version=8)

    def run(self, x):
        import onnxruntime

        return onnxruntime.InferenceSession(self.to_onnx(x.shape[1]).SerializeToString()).run(None, {"X": x.astype(np.float32)})

    def predict(self, x):
        return self.run(x)[0]

    def predict_proba(self, x):
        return self.run(x)[1]


def declare(x, how):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    if how == "columns":
        return [(c, StringTensorType([None, 1]) if x[c].dtype == object or str(x[c].dtype).startswith("str") else FloatTensorType([None, 1])) for c in x.columns]
    return [("X", (DoubleTensorType if how == "double" else FloatTensorType)([None, x.shape[1]]))]


def write(out, name, model, x, y, how, options):
    """The model's file, and what the tool says of rows that it was not trained on. Returns a line about it."""
    from skl2onnx import convert_sklearn

    test, train = x.iloc[:TEST_ROWS], x.iloc[TEST_ROWS:]
    fit_x, test_x = (train, test) if how == "columns" else (train.to_numpy(), test.to_numpy())
    if y is None:
        model.fit(fit_x)
    else:
        model.fit(fit_x, y[TEST_ROWS:])
    if how == "columns":
        # A word that no training row has, where the encoder takes it.
        test = test.copy()
        for column in ["color", "city"]:
            # Of rare words in one column, the exporter makes no place for unknown ones.
            if column in test.columns and "handle_unknown" in str(model) and "infrequent" not in str(model):
                test.loc[0, column] = "nowhere"
        test_x = test
    # onnxruntime has no newer operators for some of these, so people export older ones.
    opset = {"ai.onnx.ml": 3, "": 17} if name.startswith("isolation") or how == "double" else None
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    # LinearSVC refuses the option that skl2onnx gives to the last step of any pipeline.
    options = {id(last): {}, **options} if type(last).__name__ == "LinearSVC" else options
    if how == "double" and hasattr(last, "predict_proba"):
        # onnxruntime has no maps of doubles.
        options = {id(last): {"zipmap": False}}
    if hasattr(model, "to_onnx"):
        file = model.to_onnx(x.shape[1])
    else:
        file = convert_sklearn(model, initial_types=declare(x, how), options=options or None, target_opset=opset)
    out.mkdir(parents=True, exist_ok=True)
    content = file.SerializeToString()
    (out / f"{name}.onnx").write_bytes(content)
    predicted = model.predict(test_x).ravel()
    columns = {}
    if y is None:
        columns = {"score": model.decision_function(test_x)}
    elif hasattr(model, "predict_proba"):
        columns = {f"p_{c}": values for c, values in zip(model.classes_, model.predict_proba(test_x).T)}
    with open(out / f"{name}.csv", "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([*test.columns, "prediction", *columns])
        for i in range(0 if name.startswith("refused") else len(test)):
            # Of equal probabilities skl2onnx exports the first, and scikit-learn predicts the class of the largest margin.
            likely = sorted(values[i] for values in columns.values())
            if "huber" in name and len(likely) > 1 and likely[-1] - likely[-2] < 1e-9:
                continue
            writer.writerow([*map(cell, test.iloc[i]), predicted[i], *[f"{values[i]:.9g}" for values in columns.values()]])
    return f"{len(content)} bytes"


def cell(value):
    """A number as 32 bits hold it, for most models see no more of it; nothing where it is missing."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else repr(float(np.float32(value)))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", type=Path, default=OUT)
    arguments.add_argument("--seeds", type=int, help="all kinds of so many seeds [default: all of seed 0, scores of others]")
    arguments.add_argument("--only", default="")
    arguments = arguments.parse_args()
    warnings.filterwarnings("ignore")
    plain_integers()
    for seed in range(arguments.seeds or 1 + MORE_SEEDS):
        folder = arguments.out / f"seed{seed}" if seed else arguments.out
        for name, *case in cases(seed):
            if arguments.only in name and (seed == 0 or arguments.seeds or SCORES.fullmatch(name)):
                try:
                    print(f"{name}, seed {seed}: {write(folder, name, *case)}", flush=True)
                except Exception as error:  # noqa: BLE001
                    print(f"{name}, seed {seed}: NOT WRITTEN: {type(error).__name__}: {str(error)[:150]}", flush=True)


if __name__ == "__main__":
    main()
