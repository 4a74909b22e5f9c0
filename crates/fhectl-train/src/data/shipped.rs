//! The built-in data sets that are in the binary, for folders that hold none.

use std::path::{Path, PathBuf};

/// What stands for the folder in the path of such a file: no folder has this name by chance.
const FOLDER: &str = "<built in>";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Each file's name and bytes. MNIST is too large for this.
        const FILES: &[(&str, &[u8])] = &[$((
            $name,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/", $name)),
        )),*];
    };
}

files!["spam.csv.gz", "iris.csv", "digits.csv.gz", "diabetes.csv"];

/// The path of a built-in set's file: in the folder where it is there, else in the binary.
pub(super) fn find(datasets: &Path, file: &str) -> PathBuf {
    let given = datasets.join(file);
    let own = Path::new(FOLDER).join(file);
    if given.exists() || bytes(&own).is_none() { given } else { own }
}

/// What is at a path that [`find`] gave; none where that is a file on disk.
pub(super) fn bytes(path: &Path) -> Option<&'static [u8]> {
    let name = path.strip_prefix(FOLDER).ok()?;
    FILES.iter().find(|(file, _)| name == Path::new(file)).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_wins_over_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        for (file, shipped) in FILES {
            assert_eq!(find(&folder, file), folder.join(file));
            let own = find(Path::new("/nowhere"), file);
            assert_eq!(bytes(&own), Some(*shipped));
            assert_eq!(std::fs::read(folder.join(file)).unwrap(), *shipped);
        }
        assert_eq!(find(Path::new("/nowhere"), "mnist"), Path::new("/nowhere/mnist"));
        assert_eq!(bytes(Path::new("iris.csv")), None);
    }
}
