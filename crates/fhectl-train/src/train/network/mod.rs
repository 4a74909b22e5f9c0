//! Quantization-aware training of neural networks on candle.
//!
//! A network is trained twice: in floats, then from there with weights and activations rounded on the way forward and
//! the circuit's noise on every sum. Between two linear maps stands one operation (`staircase_op`): normalization over
//! the batch (Ioffe, Szegedy, arXiv:1502.03167), noise, staircase. Since a staircase after a normalization is a list of
//! thresholds on the integer sum, the export holds integers only and computes exactly the same.

mod adam;
mod aim;
mod architecture;
mod augment;
mod export;
mod fit;
mod float;
mod layers;
mod modulus;
mod noise;
mod params;
mod round_op;
mod samples;
mod save;
mod staircase_op;

pub use architecture::{ActivationKind, Architecture, ConvBlock};
pub use augment::Augment;
pub use fit::{Epoch, TrainedNetwork, train_network};
pub use float::FloatNetwork;
pub use modulus::modulus_holding;
pub use params::TrainingParams;

#[cfg(test)]
mod gradient_tests;
#[cfg(test)]
mod tests;
