//! The models that are in the binary, for folders that hold none.

use fhectl_core::bundle::{ClientBundle, ServerBundle};
use fhectl_core::error::Result;

/// A small model of this repository's `compiled_model`. The owner's half holds the client's.
pub struct BuiltIn {
    pub name: &'static str,
    pub server_zip: &'static [u8],
}

macro_rules! models {
    ($($name:literal),* $(,)?) => {
        /// All of them, by name. Those on MNIST are not among them: neither are its images.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            name: $name,
            server_zip: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/compiled_model/", $name, "/server.zip")),
        }),*];
    };
}

models! {
    "boost-spam",
    "boost-spam-cmux-forest",
    "cnn-digits",
    "forest-spam",
    "linreg-diabetes",
    "logreg-synthetic",
    "qnn-iris",
    "tree-spam",
    "tree-spam-leaf-sum",
}

impl BuiltIn {
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILT_IN.iter().find(|model| model.name == name)
    }

    /// # Errors
    /// Where this build was given other files than models.
    pub fn server(&self) -> Result<ServerBundle> {
        ServerBundle::read(self.server_zip).map_err(|error| error.context(format!("the built-in {}", self.name)))
    }

    /// # Errors
    /// As [`BuiltIn::server`].
    pub fn client(&self) -> Result<ClientBundle> {
        let ServerBundle { id, spec, .. } = self.server()?;
        Ok(ClientBundle { id, spec })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhectl_core::bundle::folder;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_small_model_of_the_repository_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compiled_model");
        let committed: BTreeSet<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with("-mnist"))
            .collect();
        assert_eq!(BUILT_IN.iter().map(|model| model.name.to_owned()).collect::<BTreeSet<_>>(), committed);
        for model in BUILT_IN {
            let read = model.server().unwrap();
            assert_eq!(read.spec.name, model.name);
            assert_eq!(read.client_zip(), std::fs::read(folder.join(model.name).join("client.zip")).unwrap());
            assert_eq!(model.client().unwrap(), folder::read_client(&folder.join(model.name)).unwrap());
        }
        assert!(BuiltIn::named("tree-spam").is_some() && BuiltIn::named("cnn-mnist").is_none());
    }
}
