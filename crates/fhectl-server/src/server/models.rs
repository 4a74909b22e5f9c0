//! The models that a server runs.

use super::estimate::Costs;
use crate::store::{HeldKey, KeyFootprint};
use bytes::Bytes;
use fhectl_core::bundle::{ModelId, ServerBundle};
use fhectl_core::circuit::{CircuitSpec, Evaluator};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::fhe::Random;
use fhectl_core::fhe::random::OsEntropy;
use fhectl_core::protocol::api::ModelInfo;
use fhectl_core::protocol::frame::{MAX_BATCH, inputs_len};
use fhectl_core::server_model::ServerModel;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes that a batch of encrypted inputs may have, whatever the model.
const MAX_BATCH_BYTES: usize = 256 << 20;

/// One model, ready to run.
pub(super) struct HostedModel {
    pub info: ModelInfo,
    pub client_zip: Bytes,
    pub evaluator: Arc<Evaluator>,
    /// The empty key of a circuit that needs none.
    pub no_key: Option<Arc<HeldKey>>,
    pub costs: Costs,
    /// Whether framed keys stay in memory, for devices to load.
    pub keeps_wire: bool,
}

impl HostedModel {
    fn new(bundle: &ServerBundle) -> Result<Self> {
        let model = ServerModel::new(bundle.clone())?;
        let (info, client_zip) = (model.info(), model.client_zip().into());
        let evaluator = Arc::new(model.into_evaluator());
        let no_key = if info.circuit.key_bytes() == 0 {
            let empty = evaluator.unpack_key(&[], &mut Random::fresh(&mut OsEntropy))?;
            Some(Arc::new(HeldKey::empty(empty)))
        } else {
            None
        };
        let costs = Costs::new(&info.circuit);
        Ok(Self { info, client_zip, evaluator, no_key, costs, keeps_wire: false })
    }

    pub fn id(&self) -> &ModelId {
        &self.info.id
    }

    pub fn circuit(&self) -> &CircuitSpec {
        &self.info.circuit
    }

    /// Bytes of a framed evaluation key; 0 where none is needed.
    pub fn key_len(&self) -> usize {
        self.info.sizes.key
    }

    /// What an evaluation key takes in memory.
    pub fn key_footprint(&self) -> KeyFootprint {
        KeyFootprint {
            framed: self.key_len(),
            unpacked: self.circuit().unpacked_key_bytes(),
            keeps_wire: self.keeps_wire,
        }
    }

    /// The bytes of a batch of so many inputs with a tag.
    fn inputs_bytes(&self, count: usize) -> usize {
        inputs_len(self.circuit(), count) + self.circuit().tag_request_bytes()
    }

    /// The most bytes that a batch of encrypted inputs may have.
    pub fn batch_limit(&self) -> usize {
        self.inputs_bytes(MAX_BATCH).min(MAX_BATCH_BYTES)
    }

    /// The most bytes that a request of the endpoint form may have: a whole key or 16 inputs, as a list of numbers, of which
    /// `255.0, ` is the longest that clients write.
    pub fn json_limit(&self) -> usize {
        let content = self.key_len().max(self.inputs_bytes(16));
        7 * content + (64 << 10)
    }
}

/// All models by name.
pub(super) struct Models {
    by_name: BTreeMap<String, Arc<HostedModel>>,
}

impl Models {
    /// # Errors
    /// `models_none`, `model_twice`, or `model_invalid` where a model does not fit its circuit.
    pub fn new(bundles: &[ServerBundle]) -> Result<Self> {
        let mut by_name = BTreeMap::new();
        for bundle in bundles {
            let name = &bundle.spec.name;
            let hosted = HostedModel::new(bundle).map_err(|error| error.context(name))?;
            if by_name.insert(name.clone(), Arc::new(hosted)).is_some() {
                return Err(Error::new(ErrorCode::ModelTwice, format!("two models are named `{name}`"))
                    .hint("serve one of them, or create it again with another --name"));
            }
        }
        if by_name.is_empty() {
            return Err(Error::new(ErrorCode::ModelsNone, "there is no model to serve")
                .hint("make one with `fhectl create`, and name its folder"));
        }
        Ok(Self { by_name })
    }

    /// Has the framed keys of some models stay in memory.
    ///
    /// # Panics
    /// Where a model is shared already.
    pub fn keep_wire_of(&mut self, wanted: impl Fn(&ModelId) -> bool) {
        for model in self.by_name.values_mut() {
            let model = Arc::get_mut(model).expect("nobody else has it yet");
            model.keeps_wire = wanted(model.id());
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<HostedModel>> {
        self.by_name.values()
    }

    /// # Errors
    /// `model_unknown`.
    pub fn named(&self, name: &str) -> Result<&Arc<HostedModel>> {
        self.by_name.get(name).ok_or_else(|| {
            Error::new(ErrorCode::ModelUnknown, "no model of this name is served here")
                .hint("GET /v1/models lists those that are")
        })
    }

    /// The model that an endpoint-form request means: the one named, or the only one.
    ///
    /// # Errors
    /// `model_unknown`, or `model_unnamed` where there are several.
    pub fn meant(&self, name: Option<&str>) -> Result<&Arc<HostedModel>> {
        match name {
            Some(name) => self.named(name),
            None if self.by_name.len() == 1 => Ok(self.by_name.values().next().expect("there is one")),
            None => {
                Err(Error::new(ErrorCode::ModelUnnamed, "several models are served here and the request names none")
                    .hint("name one in the X-Model header; GET /v1/models lists them"))
            }
        }
    }
}

/// Whether these models could be served together: each compiles, and no two share a name.
///
/// # Errors
/// `models_none`, `model_twice` or `model_invalid`.
pub fn check_models(models: &[ServerBundle]) -> Result<()> {
    Models::new(models).map(drop)
}
