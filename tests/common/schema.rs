//! The part of JSON Schema that the OpenAPI document uses.

use serde_json::Value;

/// What is wrong with a value, or nothing. References (`#/components/...`) point into `root`.
///
/// Panics at keywords that it does not know: a check that is skipped would pass.
pub fn violation(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let keywords = schema.as_object().expect("a schema is an object");
    keywords.iter().find_map(|(keyword, wanted)| {
        let valid = |schema: &&Value| violation(root, schema, value).is_none();
        let schemas = || wanted.as_array().expect("a list of schemas").iter();
        let holds = match keyword.as_str() {
            "title" | "description" | "example" | "examples" | "format" | "default" | "contentEncoding"
            | "contentMediaType" => true,
            "$ref" => {
                let path =
                    wanted.as_str().and_then(|path| path.strip_prefix('#')).expect("a reference into the document");
                let target = root.pointer(path).unwrap_or_else(|| panic!("{path} leads nowhere"));
                return violation(root, target, value);
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|kind| is_a(value, kind)),
                kind => is_a(value, kind),
            },
            "enum" => schemas().any(|one| one == value),
            "const" => wanted == value,
            "allOf" => return schemas().find_map(|schema| violation(root, schema, value)),
            "anyOf" => schemas().any(|schema| valid(&schema)),
            "oneOf" => schemas().filter(valid).count() == 1,
            "required" => value
                .as_object()
                .is_none_or(|object| schemas().all(|name| object.contains_key(name.as_str().expect("a name")))),
            "properties" => {
                let properties = wanted.as_object().expect("schemas by name");
                let inner = |(name, schema)| Some((name, violation(root, schema, value.get(name)?)?));
                return properties.iter().find_map(inner).map(|(name, wrong)| format!("{name}: {wrong}"));
            }
            "additionalProperties" => {
                let known = |name: &String| schema["properties"].get(name).is_some();
                let mut others = value.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
                match wanted {
                    Value::Bool(allowed) => *allowed || others.next().is_none(),
                    schema => return others.find_map(|(_, value)| violation(root, schema, value)),
                }
            }
            "propertyNames" => {
                let mut names = value.as_object().into_iter().flatten().map(|(name, _)| name);
                return names.find_map(|name| violation(root, wanted, &Value::from(name.as_str())));
            }
            "items" => return value.as_array()?.iter().find_map(|item| violation(root, wanted, item)),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= count(wanted)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= count(wanted)),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= count(wanted)),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= count(wanted)),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().expect("a number")),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().expect("a number")),
            "exclusiveMinimum" => value.as_f64().is_none_or(|number| number > wanted.as_f64().expect("a number")),
            "pattern" => value.as_str().is_none_or(|text| matches(text, wanted)),
            other => panic!("{other} is not known here"),
        };
        (!holds).then(|| format!("{value} against {keyword}: {wanted}"))
    })
}

fn count(wanted: &Value) -> u64 {
    wanted.as_u64().expect("a count")
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().expect("a type's name") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        // 1.0 is an integer too.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("{other} is no type"),
    }
}

fn matches(text: &str, pattern: &Value) -> bool {
    let pattern = regex_lite::Regex::new(pattern.as_str().expect("a pattern"));
    pattern.expect("a regular expression").is_match(text)
}
