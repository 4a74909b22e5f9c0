"""Rows of all kinds, and rows that are wrong."""

import numpy as np
import pytest

import fhectl
from fhectl import _fhectl
from fhectl.errors import InputError


@pytest.fixture
def table(spam):
    names, X, _ = spam
    return names, X[:20]


def refused(tree, rows):
    with pytest.raises(InputError) as caught:
        tree.predict(rows)
    assert isinstance(caught.value, ValueError) and caught.value.hint
    return caught.value


def test_arrays_lists_and_tables_give_the_same(tree, table):
    names, X = table
    wanted = tree.predict(X)
    for rows in (X.tolist(), X.astype(np.float32), np.asfortranarray(X), X[::-1][::-1], X.astype(object)):
        assert (tree.predict(rows) == wanted).all()
    assert (tree.predict(dict(zip(names, X.T))) == wanted).all()


def test_columns_of_a_table_are_taken_by_name(tree, table):
    pandas = pytest.importorskip("pandas")
    names, X = table
    frame = pandas.DataFrame(X, columns=names)
    wanted = tree.predict(X)
    assert (tree.predict(frame[names[::-1]].assign(other="text")) == wanted).all()
    assert (tree.predict(frame.astype("Float64")) == wanted).all()
    # One without names has an order alone.
    assert (tree.predict(pandas.DataFrame(X)) == wanted).all()
    error = refused(tree, frame.drop(columns=[names[3], names[7]]))
    assert error.code == "csv_columns" and names[3] in error.message and names[7] in error.message
    error = refused(tree, frame.rename(columns={names[0]: names[0] + "_"}))
    assert names[0] + "_" in error.hint


def test_polars_and_arrow_tables_are_taken(tree, table):
    names, X = table
    wanted = tree.predict(X)
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=list(names))
    assert (tree.predict(frame) == wanted).all()
    assert (tree.predict(frame.select(names[::-1])) == wanted).all()
    pyarrow = pytest.importorskip("pyarrow")
    assert (tree.predict(pyarrow.table(dict(zip(names, X.T)))) == wanted).all()


@pytest.mark.parametrize("value, told", [(np.nan, "missing"), (np.inf, "finite")])
def test_what_is_no_number_is_named_with_its_row(tree, table, value, told):
    names, X = table
    X = X.copy()
    X[7, 3] = value
    error = refused(tree, X)
    assert error.code == "row_value" and "row 7" in error.message and names[3] in error.message and told in error.message


def test_wrong_dtypes_and_shapes_say_what_is_wanted(tree, table):
    _, X = table
    words = X.astype(object)
    words[2, 5] = "many"
    error = refused(tree, words)
    assert error.code == "row_value" and "many" in error.message and "row 2" in error.message
    assert "Complex" in refused(tree, X.astype(complex)).message
    assert refused(tree, X[0]).code == "row_shape"
    assert "56 features" in refused(tree, X[:, :56]).message
    assert refused(tree, X.astype("datetime64[s]")).code == "row_value"
    assert refused(tree, [[1.0], [1.0, 2.0]]).code == "row_shape"


def test_sparse_rows_are_refused(tree, table):
    sparse = pytest.importorskip("scipy.sparse")
    assert "toarray" in refused(tree, sparse.csr_matrix(table[1])).hint


def test_no_rows_are_no_predictions(tree):
    assert tree.predict(np.zeros((0, 57))).shape == (0,)


def test_a_mode_that_is_none_is_named(tree, table):
    with pytest.raises(InputError, match="execute"):
        tree.predict(table[1], fhe="yes")


def test_categories_dates_and_gaps_of_a_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "age": rng.integers(18, 80, 300).astype(float),
            "color": pandas.Categorical(rng.choice(["red", "green", "blue"], 300)),
            "member": rng.random(300) < 0.5,
        }
    )
    y = (frame.age > 50) ^ (frame.color == "red")
    frame.loc[5, "age"] = np.nan
    made = fhectl._compile.create(
        ["tree", "--max-depth=4"], (frame, y.astype(int)), "same", folder=str(tmp_path), name="people"
    )
    assert made.columns == ["age", "color", "member"]
    assert made.score(frame, y.astype(int)) > 0.95
    # What is unknown and what is missing are no errors; whatever the dtypes.
    other = frame.astype({"color": str}).assign(color=lambda t: t.color.where(t.index != 0, "purple"))
    assert made.predict(other).shape == (300,)
    assert (made.predict(frame.to_numpy(dtype=object)) == made.predict(frame)).all()
    assert (made.predict(frame[:9], fhe="execute") == made.predict(frame[:9])).all()


def test_a_row_of_one_missing_cell_is_a_row(tmp_path):
    path = tmp_path / "rows.csv"
    _fhectl.write_table(path, ["x"], [np.array([1.5, np.nan, 2.0])])
    assert path.read_text() == 'x\n1.5\n""\n2\n'
    _fhectl.write_table(tmp_path / "texts.csv", ["a, b", "c"], [["say \"no\"", ""], ["two\nlines", "x"]])
    assert (tmp_path / "texts.csv").read_text() == '"a, b",c\n"say ""no""","two\nlines"\n,x\n'
