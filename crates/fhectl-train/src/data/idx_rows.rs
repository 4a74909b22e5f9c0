//! Images and labels of IDX files as labeled rows.

use super::idx::{format_error, read_images, read_labels};
use super::{Dataset, ImageShape, list};
use fhectl_core::error::{Error, ErrorCode, Result};
use std::path::{Path, PathBuf};

/// The most pixels of a file: each becomes eight bytes.
const MAX_PIXELS: usize = 1 << 28;

/// Whether a path is named as IDX files of images are: `*idx3-ubyte`, plain or `.gz`.
pub(super) fn is_idx(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with("idx3-ubyte")
}

/// Rows of the images in `path` with the labels of the file beside it: `train-images-idx3-ubyte` goes with
/// `train-labels-idx1-ubyte`, each plain or `.gz`. Features are `pixel0..`, classes the labels there are, in their order.
///
/// # Errors
/// `idx_format` where a file is damaged or the numbers of images and labels differ, `data_missing` without the labels.
pub(super) fn read_idx(path: &Path, name: &str, target: &str) -> Result<Dataset> {
    let (mut data, labels) = read_pair(path, name, target)?;
    let mut classes = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    data.labels = labels.iter().map(|label| classes.partition_point(|class| class < label) as u32).collect();
    data.classes = classes.iter().map(ToString::to_string).collect();
    Ok(data)
}

/// As [`read_idx`], for a model that takes `features` and predicts `classes`, or a number where there are none.
///
/// # Errors
/// Also `image_size` where images have another number of pixels, `idx_label` for a label that is no class.
pub(super) fn read_idx_for(path: &Path, features: &[String], classes: &[String], target: &str) -> Result<Dataset> {
    let (mut data, labels) = read_pair(path, &stem(path), target)?;
    if data.features.len() != features.len() {
        let size = data.image.map_or(String::new(), |image| format!("{}x{}", image.height, image.width));
        return Err(Error::new(
            ErrorCode::ImageSize,
            format!(
                "{}: images of {size} have {} pixels, the model takes {}",
                path.display(),
                data.features.len(),
                features.len()
            ),
        )
        .hint("use images of the size that the model was trained on"));
    }
    if classes.is_empty() {
        data.values = labels.into_iter().map(f64::from).collect();
        data.features = features.to_vec();
        return Ok(data);
    }
    data.labels = labels
        .iter()
        .enumerate()
        .map(|(at, label)| {
            let class = classes.iter().position(|class| *class == label.to_string());
            class.map(|class| class as u32).ok_or_else(|| {
                Error::new(
                    ErrorCode::IdxLabel,
                    format!("{}: label {at} is {label}, no class of the model", path.display()),
                )
                .hint(format!("its classes are {}", list(classes)))
            })
        })
        .collect::<Result<_>>()?;
    data.features = features.to_vec();
    data.classes = classes.to_vec();
    Ok(data)
}

/// The training and test parts of MNIST from `dir`: 784 features `pixel0..pixel783` of 0 to 255,
/// classes `0` to `9`.
///
/// # Errors
/// `data_missing` without the files, `idx_format` where they do not fit together.
pub fn load_mnist(dir: &Path) -> Result<(Dataset, Dataset)> {
    let classes: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    let features: Vec<String> = (0..784).map(|pixel| format!("pixel{pixel}")).collect();
    let part = |prefix: &str| -> Result<Dataset> {
        let path = plain_or_gzip(&dir.join(format!("{prefix}-images-idx3-ubyte")));
        Ok(Dataset { name: "mnist".into(), ..read_idx_for(&path, &features, &classes, "digit")? })
    };
    Ok((part("train")?, part("t10k")?))
}

/// Images without their classes, and the labels as they are.
fn read_pair(path: &Path, name: &str, target: &str) -> Result<(Dataset, Vec<u8>)> {
    let images = read_images(path)?;
    if images.pixels.len() > MAX_PIXELS {
        return Err(format_error(path, format!("{} pixels, at most {MAX_PIXELS}", images.pixels.len())));
    }
    let beside = labels_beside(path)?;
    let labels = read_labels(&beside)?;
    if labels.len() != images.count {
        return Err(format_error(
            path,
            format!("{} images but {} labels in {}", images.count, labels.len(), beside.display()),
        ));
    }
    let size = images.height * images.width;
    let data = Dataset {
        name: name.to_owned(),
        target: target.to_owned(),
        features: (0..size).map(|pixel| format!("pixel{pixel}")).collect(),
        classes: Vec::new(),
        rows: images.pixels.chunks_exact(size).map(|row| row.iter().copied().map(f64::from).collect()).collect(),
        labels: Vec::new(),
        values: Vec::new(),
        input: None,
        image: Some(ImageShape { height: images.height, width: images.width, channels: 1 }),
    };
    Ok((data, labels))
}

/// The labels' file by the names' convention.
fn labels_beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let labels = plain.replace("images", "labels").replace("idx3", "idx1");
    let found = plain_or_gzip(&path.with_file_name(&labels));
    if labels != plain && found.is_file() {
        return Ok(found);
    }
    Err(Error::new(
        ErrorCode::DataMissing,
        format!("{}: no labels beside it, looked for {labels}[.gz]", path.display()),
    )
    .hint("put NAME-labels-idx1-ubyte beside NAME-images-idx3-ubyte"))
}

fn plain_or_gzip(plain: &Path) -> PathBuf {
    if plain.is_file() {
        return plain.to_owned();
    }
    let mut name = plain.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

/// What a person would call the set: the name up to `-images`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split("-images").next().unwrap_or_default();
    if stem.is_empty() { "images".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnist_is_whole() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/mnist");
        let (train, test) = load_mnist(&dir).unwrap();
        assert_eq!((train.len(), test.len(), train.features.len()), (60_000, 10_000, 784));
        assert_eq!(&train.labels[..5], [5, 0, 4, 1, 9]);
        assert_eq!(test.class_counts()[7], 1028);
        assert_eq!((train.name.as_str(), train.target.as_str()), ("mnist", "digit"));
    }

    #[test]
    fn any_pair_of_files_is_read_and_what_does_not_fit_is_named() {
        let dir = tempfile::TempDir::new().unwrap();
        let at = |name: &str| dir.path().join(name);
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let images = at("mine-images-idx3-ubyte");
        std::fs::write(&images, [words(&[0x803, 3, 1, 2]), vec![1, 2, 3, 4, 5, 6]].concat()).unwrap();
        assert_eq!(read_idx(&images, "mine", "label").unwrap_err().code, ErrorCode::DataMissing);
        let labels = |labels: &[u8]| {
            let bytes = [words(&[0x801, labels.len() as u32]), labels.to_vec()].concat();
            std::fs::write(at("mine-labels-idx1-ubyte"), bytes).unwrap();
        };
        labels(&[7, 3, 7]);
        let data = read_idx(&images, &stem(&images), "label").unwrap();
        assert_eq!(
            (data.name.as_str(), data.classes.clone(), data.labels),
            ("mine", vec!["3".into(), "7".into()], vec![1, 0, 1])
        );
        assert_eq!(data.image, Some(ImageShape { height: 1, width: 2, channels: 1 }));
        let of = |features: usize, classes: &[&str]| {
            let features: Vec<String> = (0..features).map(|pixel| format!("p{pixel}")).collect();
            let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
            read_idx_for(&images, &features, &classes, "label")
        };
        assert_eq!(of(2, &["7", "3"]).unwrap().labels, [0, 1, 0]);
        assert_eq!(of(2, &[]).unwrap().values, [7.0, 3.0, 7.0]);
        let error = of(2, &["7", "8"]).unwrap_err();
        assert!(error.code == ErrorCode::IdxLabel && error.message.contains("label 1 is 3"), "{error}");
        let error = of(4, &["3", "7"]).unwrap_err();
        assert!(
            error.code == ErrorCode::ImageSize && error.message.contains("1x2 have 2 pixels, the model takes 4"),
            "{error}"
        );
        labels(&[7, 3]);
        let error = read_idx(&images, "mine", "label").unwrap_err();
        assert!(error.code == ErrorCode::IdxFormat && error.message.contains("3 images but 2 labels"), "{error}");
        assert!(is_idx(Path::new("a/T10K-images-idx3-ubyte.gz")) && !is_idx(Path::new("images.csv")));
    }
}
