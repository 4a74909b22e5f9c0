//! Flags that several commands share: where models, servers and keys are, and where output goes.

use super::built_in::{BUILT_IN, BuiltIn};
use super::devices::DeviceChoice;
use super::units::{parse_duration, parse_probability};
use crate::client::{Http, Keyring, Passphrase, http, session};
use crate::report::card::with_measured;
use clap::Args;
use fhectl_core::bundle::{ModelId, ServerBundle, folder};
use fhectl_core::client::ClientModel;
use fhectl_core::error::{Error, ErrorCode, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Flags of every command that names a model.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A model's name (`fhectl models` lists them), or its folder
    pub model: String,
    /// The folder that names are looked up in
    #[arg(long, env = "FHECTL_MODELS", default_value = "compiled_model", value_name = "DIR")]
    pub models: PathBuf,
}

/// Flags of every command that talks to a server. No `Debug`: it holds a token.
#[derive(Args)]
pub struct ServerArgs {
    /// The server; without it one is started on a loopback port for this run
    #[arg(long, env = "FHECTL_URL")]
    pub url: Option<String>,
    /// What the server of this run computes on: auto (every CUDA device that can be used, or else the processor), cpu,
    /// cuda:N, or cuda:all
    #[arg(long, env = "FHECTL_DEVICE", default_value = "auto", value_name = "DEVICE")]
    pub device: DeviceChoice,
    /// The bearer token that the server asks for
    #[arg(long, env = "FHECTL_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The authority that signed the server's certificate (PEM), where it is not one of the web's
    #[arg(long, env = "FHECTL_CA_CERT", value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Accept models whose answers are wrong as often as this: safe only where nobody else learns which ones were
    #[arg(long, env = "FHECTL_ACCEPT_P_FAIL", default_value = "2^-128", value_parser = parse_probability, value_name = "2^-N")]
    pub accept_p_fail: f64,
    #[command(flatten)]
    keys: ClientKeysArgs,
}

/// Flags of every command that opens this client's keys. No `Debug`: it holds a passphrase.
#[derive(Args)]
pub struct ClientKeysArgs {
    #[command(flatten)]
    folder: KeysFolder,
    /// A file whose content is the passphrase that this client's keys are under (one line break at its end is left out)
    #[arg(long, env = "FHECTL_KEY_PASSPHRASE_FILE", value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    /// Ask for the passphrase that this client's keys are under; the variable holds the passphrase itself
    #[arg(
        long,
        env = "FHECTL_KEY_PASSPHRASE",
        hide_env_values = true,
        value_name = "PASSPHRASE",
        num_args = 0..=1,
        require_equals = true
    )]
    key_passphrase: Option<Option<String>>,
}

/// Where this client's keys are.
#[derive(Debug, Args)]
pub struct KeysFolder {
    /// The folder of this client's keys (made once, reused after) [default: the user's data folder]
    #[arg(long, env = "FHECTL_KEYS", value_name = "DIR")]
    pub keys: Option<PathBuf>,
}

/// When a client's key is replaced.
#[derive(Debug, Args)]
pub struct KeyAgeArgs {
    /// Make a new key where the one that is there is older: 90d, 12h
    #[arg(long, env = "FHECTL_KEY_MAX_AGE", value_parser = parse_duration, value_name = "TIME")]
    pub key_max_age: Option<Duration>,
}

impl ServerArgs {
    /// The server that `--url` names.
    ///
    /// # Errors
    /// `url_invalid`, `ca_invalid`.
    pub fn remote(&self) -> Result<Option<Http>> {
        let authorities = self.ca_cert.as_deref().map(http::read_authorities).transpose()?.unwrap_or_default();
        self.url.as_deref().map(|url| Http::new(url, self.token.clone(), authorities)).transpose()
    }

    /// The client's keys. A key older than `max_age` is replaced.
    ///
    /// # Errors
    /// Those of [`Keyring::open`] and of reading a passphrase.
    pub fn keyring(&self, max_age: Option<Duration>) -> Result<Keyring> {
        let passphrase = self.keys.passphrase()?;
        Ok(Keyring::open(self.keys.folder.keys.as_deref())?.with_passphrase(passphrase).with_max_age(max_age))
    }
}

impl ClientKeysArgs {
    /// The passphrase, if one was given; reads it from the terminal if the flag has no value.
    fn passphrase(&self) -> Result<Option<Passphrase>> {
        let text = match (&self.key_passphrase_file, &self.key_passphrase) {
            (Some(file), _) => read_passphrase(file)?,
            (None, Some(Some(text))) => Zeroizing::new(text.clone().into_bytes()),
            (None, Some(None)) => ask_passphrase()?,
            (None, None) => return Ok(None),
        };
        Passphrase::new(text).map(Some)
    }
}

/// The largest passphrase file in bytes.
const MAX_PASSPHRASE: usize = 4096;

fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |what: String| {
        Error::new(ErrorCode::KeyPassphraseInvalid, format!("{}: {what}", path.display()))
            .hint("--key-passphrase-file names a file that holds the passphrase and nothing else")
    };
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    // Allocated at full size: growing would leave a copy of the passphrase in freed memory.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE + 2));
    file.take(MAX_PASSPHRASE as u64 + 1).read_to_end(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() > MAX_PASSPHRASE {
        return Err(failed(format!("more than {MAX_PASSPHRASE} bytes")));
    }
    if text.ends_with(b"\n") {
        text.pop();
        if text.ends_with(b"\r") {
            text.pop();
        }
    }
    Ok(text)
}

fn ask_passphrase() -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorCode::KeyPassphraseInvalid, format!("the passphrase could not be asked for: {error}"))
            .hint("without a terminal, give it with --key-passphrase-file FILE or FHECTL_KEY_PASSPHRASE")
    };
    rpassword::prompt_password("passphrase of the keys: ").map(|text| Zeroizing::new(text.into_bytes())).map_err(failed)
}

/// Opens a file for writing without truncating it. Commands do this before their work: a wrong path costs no inference,
/// and a run that fails leaves the output of an earlier run alone.
///
/// # Errors
/// `output_unwritable`.
pub fn open_output(path: &Path) -> Result<File> {
    File::options().create(true).append(true).open(path).map_err(|error| {
        Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display()))
            .hint("check the folder and its permissions")
    })
}

impl ModelArgs {
    /// The model's path, whether given as a name or as a path. It need not exist.
    pub fn path(&self) -> PathBuf {
        path_of(&self.model, &self.models)
    }

    /// The model in the binary that this one's name stands for, where no folder has one.
    pub fn built_in(&self) -> Option<&'static BuiltIn> {
        if self.path().exists() { None } else { BuiltIn::named(&self.model) }
    }

    /// The client's half of the bundle: from the folder, else from the server. `failure_log2` is how often its answers may
    /// be wrong.
    ///
    /// # Errors
    /// `model_unknown` where neither has it; the hint lists the models that are there. `failure_rate`.
    pub fn client(&self, http: Option<&Http>, failure_log2: f64) -> Result<ClientModel> {
        let path = self.path();
        match http {
            _ if path.exists() => ClientModel::accept(folder::read_client(&path)?, failure_log2),
            // The server has its own of this name.
            Some(http) => session::fetch_client(http, &self.model, failure_log2),
            None => match self.built_in() {
                Some(model) => ClientModel::accept(model.client()?, failure_log2),
                None => Err(self.unknown()),
            },
        }
    }

    /// The owner's half of the bundle, where it is at hand and has the same id as the client's.
    ///
    /// # Errors
    /// Those of reading a `server.zip` that is there.
    pub fn owner(&self, id: &ModelId) -> Result<Option<ServerBundle>> {
        let path = self.path();
        let server = match self.built_in() {
            Some(model) => model.server()?,
            None if path.join("server.zip").exists() => folder::read_server(&path)?,
            None => return Ok(None),
        };
        Ok((server.id == *id).then_some(server))
    }

    /// The owner's half, for a run that starts its own server.
    ///
    /// # Errors
    /// `server_half_missing` where it is not at hand; as [`ModelArgs::owner`].
    pub fn owner_at_hand(&self, id: &ModelId) -> Result<ServerBundle> {
        self.owner(id)?.ok_or_else(|| {
            Error::new(ErrorCode::ServerHalfMissing, format!("{} has no server.zip", self.path().display()))
                .hint("name the server that runs this model with --url")
        })
    }

    /// The bytes of the owner's half.
    ///
    /// # Errors
    /// `server_half_missing`.
    pub fn server_zip(&self) -> Result<Vec<u8>> {
        if let Some(model) = self.built_in() {
            return Ok(model.server_zip.to_vec());
        }
        let path = self.path().join("server.zip");
        fs::read(&path).map_err(|error| {
            Error::new(ErrorCode::ServerHalfMissing, format!("{}: {error}", path.display()))
                .hint("name the model's own folder, which `fhectl create` wrote")
        })
    }

    /// Writes measured figures into the model's card.
    ///
    /// # Errors
    /// `output_unwritable` where there is no card or it cannot be written.
    pub fn record(&self, figures: &str) -> Result<()> {
        let path = self.path().join("README.md");
        let failed = |error: std::io::Error| {
            Error::new(ErrorCode::OutputUnwritable, format!("{}: {error}", path.display()))
                .hint("--record writes into the card of a model's own folder")
        };
        let card = fs::read_to_string(&path).map_err(failed)?;
        fs::write(&path, with_measured(&card, figures)).map_err(failed)
    }

    /// The error `model_unknown`, with the models that are there as its hint.
    pub fn unknown(&self) -> Error {
        let there = folder::below(&self.models, "client.zip");
        let mut names: Vec<String> =
            there.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
        let others = BUILT_IN.iter().map(|model| model.name).filter(|name| !names.iter().any(|there| there == name));
        let others: Vec<String> = others.map(str::to_owned).collect();
        names.extend(others);
        Error::new(ErrorCode::ModelUnknown, format!("no model `{}` in {}", self.model, self.models.display()))
            .hint(format!("there are: {}; --models says where to look, `fhectl create` makes one", names.join(", ")))
    }
}

/// Where a model is: a bundle's own path, else a name below the folder of models. It need not exist.
pub fn path_of(model: &str, models: &Path) -> PathBuf {
    let given = Path::new(model);
    let is_bundle = given.is_file() || given.join("client.zip").exists() || given.join("server.zip").exists();
    if is_bundle { given.to_owned() } else { models.join(model) }
}
