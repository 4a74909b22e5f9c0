use super::*;
use fhectl_core::bundle::Predicted;
use serde_json::{Value, json};

/// A model of a number and categories: one oblivious tree of two splits.
fn model(change: impl Fn(&mut Value)) -> String {
    let mut file = json!({
        "features_info": {
            "float_features": [
                {"feature_index": 0, "flat_feature_index": 0, "feature_id": "a", "nan_value_treatment": "AsTrue"}
            ],
            "categorical_features": [{"feature_index": 0, "flat_feature_index": 1, "feature_id": "b"}],
            "cat_features_hash": [{"hash": 3000000000u32, "value": "red"}, {"hash": 5, "value": "blue"}]
        },
        "model_info": {
            "class_params": {"class_names": ["no", "yes"]},
            "params": {"loss_function": {"type": "Logloss"}}
        },
        "oblivious_trees": [{
            "leaf_values": [1.0, 2.0, 3.0, 4.0],
            "splits": [
                {"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5},
                {"split_type": "OneHotFeature", "cat_feature_index": 0, "value": -1294967296}
            ]
        }],
        "scale_and_bias": [2.0, [0.5]]
    });
    change(&mut file);
    file.to_string()
}

fn refusal(text: &str) -> String {
    let error = read(text.as_bytes()).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

fn scores(model: &Imported, cells: [&str; 2]) -> Vec<f64> {
    let row = model.input.as_ref().unwrap().encode(&cells).unwrap();
    model.model.scores(&model.prepared(&row))
}

#[test]
fn rows_go_where_catboost_sends_them() {
    let read = |change: fn(&mut Value)| read(model(change).as_bytes()).unwrap();
    let first = read(|_| {});
    assert_eq!(
        (&first.classes[..], &first.feature_names[..]),
        (&["no".into(), "yes".into()][..], &["a".into(), "b".into()][..])
    );
    for (cells, wanted) in [
        (["0.5", "blue"], 2.5),
        (["0.6", "blue"], 4.5),
        (["0.5", "red"], 6.5),
        (["0.6", "red"], 8.5),
        (["", "green"], 4.5),
        (["", ""], 4.5),
    ] {
        assert_eq!(scores(&first, cells), [wanted], "{cells:?}");
    }
    let low = read(|file| file["features_info"]["float_features"][0]["nan_value_treatment"] = json!("AsFalse"));
    assert_eq!(scores(&low, ["", "red"]), [6.5]);
    let three = read(|file| {
        file["oblivious_trees"][0]["leaf_values"] = json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        file["scale_and_bias"] = json!([1.0, [0.0, 0.0, 1.0]]);
        file["model_info"]["params"]["loss_function"]["type"] = json!("MultiClassOneVsAll");
        file["model_info"]["class_params"]["class_names"] = json!([0.0, 1.0, 2]);
    });
    assert_eq!(three.classes, ["0", "1", "2"]);
    assert_eq!(scores(&three, ["0.6", "blue"]), [4.0, 5.0, 7.0]);
    assert!(three.decoder().class_scores_real(&[0.0, 0.0, 0.0]).iter().all(|p| *p == 0.5));
}

#[test]
fn trees_of_other_policies_are_read() {
    let split = json!({"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5});
    let text = model(|file| {
        let inner = json!({"split": split, "left": {"value": 2.0}, "right": {"value": 3.0}});
        let category = json!({"split_type": "OneHotFeature", "cat_feature_index": 0, "value": 5});
        file["trees"] = json!([{"split": category, "left": inner, "right": {"value": [7.0]}}]);
        file["model_info"]["params"]["loss_function"]["type"] = json!("Poisson");
        file.as_object_mut().unwrap().remove("oblivious_trees");
    });
    let model = read(text.as_bytes()).unwrap();
    assert_eq!(
        [scores(&model, ["0.4", "red"]), scores(&model, ["0.6", "red"]), scores(&model, ["0", "blue"])],
        [[4.5], [6.5], [14.5]]
    );
    assert_eq!(model.decoder().predict_real(&[0.0]), Predicted::Value(1.0));
}

#[test]
fn crafted_files() {
    let tree = |change: fn(&mut Value)| model(|file| change(&mut file["oblivious_trees"][0]));
    let features = |change: fn(&mut Value)| model(|file| change(&mut file["features_info"]));
    let split = |change: fn(&mut Value)| model(|file| change(&mut file["oblivious_trees"][0]["splits"][0]));
    for (wanted, text) in [
        ("values of leaves", tree(|tree| tree["leaf_values"] = json!([1.0, 2.0, 3.0]))),
        ("values of leaves", tree(|tree| tree["leaf_values"] = json!([]))),
        ("values of leaves", tree(|tree| tree["splits"] = json!(vec![tree["splits"][0].clone(); 200]))),
        ("2 scores of the loss", tree(|tree| tree["leaf_values"] = json!(vec![1.0; 8]))),
        ("a split on feature 7", split(|split| split["float_feature_index"] = json!(7))),
        ("OnlineCtr", split(|split| split["split_type"] = json!("OnlineCtr"))),
        ("kind `FloatFeature`", split(|split| split["border"] = json!(null))),
        ("kind `x", split(|split| split["split_type"] = json!("x\n"))),
        ("which there is not", tree(|tree| tree["splits"][1]["cat_feature_index"] = json!(3))),
        ("does not hold", features(|info| info["cat_features_hash"] = json!([]))),
        ("do not fill a row", features(|info| info["float_features"][0]["flat_feature_index"] = json!(1))),
        ("do not fill a row", features(|info| info["float_features"][0]["flat_feature_index"] = json!(4000000000u32))),
        ("texts", features(|info| info["text_features"] = json!([{}]))),
        ("treated as", features(|info| info["float_features"][0]["nan_value_treatment"] = json!("AsNever"))),
        ("0 trees", model(|file| file["oblivious_trees"] = json!([]))),
        ("2 biases", model(|file| file["scale_and_bias"] = json!([1.0, [0.0, 0.0]]))),
        ("3 classes", model(|file| file["model_info"]["class_params"]["class_names"] = json!([1, 2, 3]))),
        ("same name", model(|file| file["model_info"]["class_params"]["class_names"] = json!([1, 1.0]))),
        (
            "loss `RMSEWithUncertainty`",
            model(|file| file["model_info"]["params"]["loss_function"]["type"] = json!("RMSEWithUncertainty")),
        ),
        ("neither", model(|file| file["trees"] = json!([{"split": null}]))),
        ("not a model", "{\"features_info\": 1}".to_owned()),
    ] {
        let got = refusal(&text);
        assert!(got.contains(wanted), "{got} instead of {wanted}");
    }
    let mut nested = json!({"value": 1.0});
    for _ in 0..100 {
        nested = json!({"left": nested, "right": {"value": 0.0}, "split": {"split_type": "FloatFeature", "float_feature_index": 0, "border": 1.0}});
    }
    let deep = |nested: &Value| model(|file| file["trees"] = json!([nested]));
    assert!(read(deep(&nested).as_bytes()).is_ok());
    let deeper = format!("{}{}{}", "{\"left\":".repeat(100_000), "1", "}".repeat(100_000));
    let text = model(|file| file["trees"] = json!([7])).replace("\"trees\":[7]", &format!("\"trees\":[{deeper}]"));
    assert!(refusal(&text).contains("import_invalid"));
}
