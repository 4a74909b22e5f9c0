use super::*;
use fhectl_core::bundle::Predicted;
use proptest::prelude::*;

/// A model of one tree: two splits, the second on categories.
fn text(change: impl Fn(String) -> String) -> String {
    change(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
         objective=binary sigmoid:1\nfeature_names=a b\nfeature_infos=[0:9] 0:1:2:3\ntree_sizes=1\n\n\
         Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=2.5 0\ndecision_type=8 1\nleft_child=-1 -2\n\
         right_child=1 -3\nleaf_value=-1 0.5 2\ncat_boundaries=0 1\ncat_threshold=10\nis_linear=0\nshrinkage=1\n\n\n\
         end of trees\n\nparameters:\n[categorical_feature: 1]\nend of parameters\n\npandas_categorical:null\n"
            .to_owned(),
    )
}

fn refusal(text: &str) -> String {
    let error = read(text.as_bytes()).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

fn score(model: &Imported, row: &[f64]) -> f64 {
    model.model.scores(&model.prepared(row))[0]
}

#[test]
fn rows_go_where_lightgbm_sends_them() {
    let model = read(text(|text| text).as_bytes()).unwrap();
    assert_eq!(model.feature_names, ["a", "b"]);
    let unnamed = read(text(|text| text.replace("feature_names=a b", "feature_names=Column_0 Column_1")).as_bytes());
    assert!(unnamed.unwrap().feature_names.is_empty());
    // The set is that of bits 1 and 3.
    for (row, wanted) in [
        ([2.5, 0.0], -1.0),
        ([2.6, 1.0], 0.5),
        ([2.6, 3.0], 0.5),
        ([2.6, 2.0], 2.0),
        ([2.6, f64::NAN], 2.0),
        ([f64::NAN, 1.0], 0.5),
    ] {
        assert_eq!(score(&model, &row), wanted, "{row:?}");
    }
    let left = read(text(|text| text.replace("decision_type=8", "decision_type=10")).as_bytes()).unwrap();
    assert_eq!(score(&left, &[f64::NAN, 1.0]), -1.0);
    let none = read(text(|text| text.replace("decision_type=8", "decision_type=0")).as_bytes()).unwrap();
    assert_eq!(score(&none, &[f64::NAN, 1.0]), -1.0);
    let zero = read(text(|text| text.replace("decision_type=8", "decision_type=4")).as_bytes()).unwrap();
    assert_eq!(
        [score(&zero, &[0.0, 1.0]), score(&zero, &[f64::NAN, 1.0]), score(&zero, &[0.1, 1.0])],
        [0.5, 0.5, -1.0]
    );
}

#[test]
fn texts_of_pandas_are_read() {
    let named = text(|text| text.replace(":null", r#":[["x", "red", "y", "blue"]]"#).replace("sigmoid:1", "sigmoid:2"));
    let model = read(named.as_bytes()).unwrap();
    let input = model.input.clone().unwrap();
    let of = |cell: &str| score(&model, &input.encode(&["7", cell]).unwrap());
    // Scores are twice the leaves.
    assert_eq!(["red", "blue", "1", "3", "x", "green", ""].map(of), [1.0, 1.0, 1.0, 1.0, 4.0, 4.0, 4.0]);
    let numbers = read(text(|text| text.replace(":null", ":[[10, 20, 30, 40]]")).as_bytes()).unwrap();
    assert_eq!([20.0, 40.0, 10.0, 1.0].map(|code| score(&numbers, &[7.0, code])), [0.5, 0.5, 2.0, 2.0]);
}

#[test]
fn links_are_those_of_the_objective() {
    let of = |objective: &str, row: &[f64]| {
        let model = read(text(|text| text.replace("binary sigmoid:1", objective)).as_bytes()).unwrap();
        match model.decoder().predict_real(&model.model.scores(&model.prepared(row))) {
            Predicted::Value(value) => value,
            Predicted::Class(class) => class as f64,
        }
    };
    let row = [0.0, 0.0];
    assert_eq!(of("regression", &row), -1.0);
    assert_eq!(of("regression sqrt", &[9.0, 0.0]), 4.0);
    assert!((of("poisson", &row) - (-1f64).exp()).abs() < 1e-12);
    assert!((of("cross_entropy", &row) - 1.0 / (1.0 + 1f64.exp())).abs() < 1e-12);
    assert!((of("cross_entropy_lambda", &row) - (1.0 + (-1f64).exp()).ln()).abs() < 1e-12);
}

#[test]
fn a_random_forest_takes_the_mean() {
    let tree = "Tree=1\nnum_leaves=1\nleaf_value=4\n\nend of trees";
    let model = read(
        text(|text| text.replace("end of trees", tree).replace("\nfeature_names", "\naverage_output\nfeature_names"))
            .as_bytes(),
    );
    assert_eq!(score(&model.unwrap(), &[0.0, 0.0]), 1.5);
}

#[test]
fn crafted_files() {
    for (wanted, from, to) in [
        ("below itself", "left_child=-1 -2", "left_child=0 -2"),
        ("two parents", "left_child=-1 -2", "left_child=1 -2"),
        ("child 18446744073709551615", "left_child=-1 -2", "left_child=7 -2"),
        ("child", "left_child=-1 -2", "left_child=-2147483648 -2"),
        ("feature 9 of 2", "split_feature=0 1", "split_feature=9 1"),
        ("splits", "split_feature=0 1", "split_feature=0"),
        ("no number", "threshold=2.5 0", "threshold=nan 0"),
        ("no set", "threshold=2.5 0", "threshold=2.5 4"),
        ("no set", "threshold=2.5 0", "threshold=2.5 -1"),
        ("no set", "cat_boundaries=0 1", "cat_boundaries=1 0"),
        ("no set", "cat_boundaries=0 1", "cat_boundaries=0 9999999999"),
        ("finite", "leaf_value=-1", "leaf_value=inf"),
        ("leaves", "num_leaves=3", "num_leaves=0"),
        ("leaves", "num_leaves=3", "num_leaves=18446744073709551615"),
        ("holds `1e400x`", "leaf_value=-1", "leaf_value=1e400x"),
        ("given twice", "num_cat=1", "num_leaves=3"),
        ("missing values", "decision_type=8", "decision_type=12"),
        ("lightgbm_unsupported", "is_linear=0", "is_linear=1"),
        ("lightgbm_unsupported", "binary sigmoid:1", "mystery"),
        ("sigmoid", "sigmoid:1", "sigmoid:x"),
        ("trees a round", "num_tree_per_iteration=1", "num_tree_per_iteration=0"),
        ("trees a round", "num_tree_per_iteration=1", "num_tree_per_iteration=99999999999"),
        ("features", "max_feature_idx=1", "max_feature_idx=18446744073709551615"),
        ("no count", "max_feature_idx=1", "max_feature_idx=-1"),
        ("feature names", "feature_names=a b", "feature_names=a"),
        ("ends before", "end of trees", "end"),
        ("pandas_categorical", ":null", ":[[1"),
        ("does not say", ":null", ":[[1], [2]]"),
        ("does not say", ":null\n", ":[[1]]\n[categorical_feature: 7]"),
    ] {
        let got = refusal(&text(|text| text.replacen(from, to, 1)));
        assert!(got.contains(wanted) || got.contains("holds"), "{got} instead of {wanted}");
    }
    assert!(refusal("tree\n").contains("ends before"));
    assert!(read(b"tree\nversion=\xFF").unwrap_err().message.contains("UTF-8"));
    let deep: String = (0..600).map(|at| format!("{} ", at + 1)).collect();
    let leaves = |from: i32| (0..600).map(|at| format!("{} ", from - at)).collect::<String>();
    let chain = format!(
        "tree\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nTree=0\nnum_leaves=601\nsplit_feature={}\n\
         threshold={}\ndecision_type={}\nleft_child={}\nright_child={}-601\nleaf_value={}\nend of trees\n",
        "0 ".repeat(600),
        "1 ".repeat(600),
        "2 ".repeat(600),
        leaves(-1),
        deep.trim_end().trim_end_matches("600"),
        "1 ".repeat(601)
    );
    assert!(refusal(&chain).contains("import_large"), "{}", refusal(&chain));
}

proptest! {
    #[test]
    fn no_change_of_characters_panics(at in 0usize..700, with in prop::sample::select(b"0123456789-=. \n\0\xFF".to_vec())) {
        let mut bytes = text(|text| text).into_bytes();
        let at = at % bytes.len();
        bytes[at] = with;
        if let Ok(model) = read(&bytes) {
            let _ = score(&model, &[0.5, 0.5]);
        }
    }
}
