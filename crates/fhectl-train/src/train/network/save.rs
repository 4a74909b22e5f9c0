//! Trained weights as safetensors files.

use super::fit::TrainedNetwork;
use super::float::{FloatNetwork, failed};
use candle_core::{Device, Tensor};
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::IntegerNetwork;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

type Tensors = HashMap<String, Tensor>;

impl TrainedNetwork {
    /// Writes `float.safetensors` (the float network), `rounded.safetensors` (the parameters behind the integers) and
    /// `integer.safetensors` (the model itself, `I64`) into `folder`, and returns their paths.
    ///
    /// Layer `i` has `layers.i.weights` (channels, weights), hidden ones `log_gain`, `shift`, `mean` and `variance`,
    /// the last `bias` and `log_scale`; integer layers `weights` (channels, taps), `biases`, `plaintext_modulus`, and hidden ones
    /// `outputs` and `thresholds` (channels, steps - 1).
    ///
    /// # Errors
    /// `weights_unwritable`.
    pub fn save(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let integer = integer_tensors(&self.model).map_err(failed)?;
        let parts = [
            ("float", float_tensors(&self.float).map_err(failed)?),
            ("rounded", float_tensors(&self.rounded).map_err(failed)?),
            ("integer", integer),
        ];
        let write = |(name, tensors): (&str, Tensors)| {
            let path = folder.join(format!("{name}.safetensors"));
            candle_core::safetensors::save(&tensors, &path).map_err(|error| {
                Error::new(ErrorCode::WeightsUnwritable, format!("{}: {error}", path.display()))
                    .hint("check the folder and its permissions")
            })?;
            Ok(path)
        };
        parts.into_iter().map(write).collect()
    }
}

fn float_tensors(network: &FloatNetwork) -> candle_core::Result<Tensors> {
    let mut out = Tensors::new();
    for (index, layer) in network.hidden.iter().enumerate() {
        let mut put = |name: &str, tensor: Tensor| out.insert(format!("layers.{index}.{name}"), tensor);
        let moments = layer.running();
        put("weights", layer.weights.as_tensor().clone());
        put("log_gain", layer.log_gain.as_tensor().clone());
        put("shift", layer.shift.as_tensor().clone());
        put("mean", Tensor::new(moments.mean, &Device::Cpu)?);
        put("variance", Tensor::new(moments.variance, &Device::Cpu)?);
    }
    let mut put = |name: &str, tensor: &Tensor| {
        out.insert(format!("layers.{}.{name}", network.hidden.len()), tensor.clone());
    };
    put("weights", &network.scores.weights);
    put("bias", &network.scores.bias);
    put("log_scale", &network.scores.log_scale);
    Ok(out)
}

fn integer_tensors(network: &IntegerNetwork) -> candle_core::Result<Tensors> {
    let mut out = Tensors::new();
    for (index, layer) in network.layers.iter().enumerate() {
        let mut put = |name: &str, values: Vec<i64>, shape: &[usize]| -> candle_core::Result<()> {
            out.insert(format!("layers.{index}.{name}"), Tensor::from_vec(values, shape, &Device::Cpu)?);
            Ok(())
        };
        let (channels, taps) = (layer.map.shape.channels(), layer.map.shape.taps());
        put("weights", layer.map.weights.iter().map(|w| i64::from(*w)).collect(), &[channels, taps])?;
        put("biases", layer.map.biases.clone(), &[channels])?;
        put("plaintext_modulus", vec![layer.plaintext_modulus as i64], &[1])?;
        if let Some(activation) = &layer.activation {
            let steps = activation.outputs.len();
            put("outputs", activation.outputs.iter().map(|o| i64::from(*o)).collect(), &[steps])?;
            put("thresholds", activation.thresholds.concat(), &[activation.thresholds.len(), steps - 1])?;
        }
    }
    Ok(out)
}
