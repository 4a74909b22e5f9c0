//! What a network is made of where nothing else is asked for: by kind, image size and number of rows.

use super::network_kind::NetworkKind;
use fhectl_core::model::Output;
use fhectl_train::data::ImageShape;
use fhectl_train::train::{ActivationKind, ConvBlock};

/// The defaults of all flags that have one.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    pub bits: u32,
    pub convs: Vec<ConvBlock>,
    pub hidden: Vec<usize>,
    pub activation: ActivationKind,
    pub activation_bits: u32,
    pub weight_bits: u32,
    pub weight_norm: f64,
    pub epochs: usize,
    pub batch_size: usize,
    pub learning_rate: f64,
    pub label_smoothing: f64,
    pub noise: f64,
    pub score_noise: f64,
    /// In steps of the grid; images are moved instead.
    pub jitter: f64,
}

impl Defaults {
    /// For a kind, the data's image and its number of training rows.
    ///
    /// - Convolutions have a stride of a ninth of the image's side (at least 2), kernels of twice that, and 8 filters, on
    ///   small images (fewer than 5 positions a side) 10. 28x28 gives `8@6x6/3`, 8x8 gives `10@4x4/2`.
    /// - Dense layers: 64 units on more than 16 features, else 8; after convolutions 64 units, on small images none, for
    ///   each unit is a bootstrap.
    /// - Few rows are shown more often, in smaller batches, with larger steps, but at most 100 times.
    /// - Images are moved and their labels smoothed a little; other rows get noise of half a step of their grid.
    pub fn new(kind: NetworkKind, image: Option<ImageShape>, features: usize, rows: usize) -> Self {
        let (convs, small) = match (kind, image) {
            (NetworkKind::Cnn, Some(image)) => conv(image),
            _ => (Vec::new(), false),
        };
        let hidden = match (kind, features) {
            (NetworkKind::Cnn, _) if small => Vec::new(),
            (NetworkKind::Cnn, _) | (_, 17..) => vec![64],
            _ => vec![8],
        };
        // A line suits few features, whose sums are two-sided; a ReLU images.
        let activation = if image.is_some() { ActivationKind::Relu } else { ActivationKind::Tanh };
        let shown = if kind == NetworkKind::Cnn { 1_200_000 } else { 3_000_000 };
        Self {
            bits: 4,
            // The first layer of a perceptron has a weight a pixel and channel: three bits keep its norm small.
            weight_bits: if kind == NetworkKind::Mlp { 3 } else { 4 },
            weight_norm: 22.0,
            convs,
            hidden,
            activation,
            activation_bits: 3,
            epochs: (shown / rows.max(1)).clamp(10, 100),
            batch_size: match rows {
                0..500 => 16,
                500..10_000 => 32,
                _ => 128,
            },
            learning_rate: match (rows >= 10_000, image) {
                (true, _) => 0.006,
                (false, Some(_)) => 0.01,
                (false, None) => 0.02,
            },
            noise: 0.006,
            score_noise: 0.004,
            label_smoothing: if image.is_some() { 0.05 } else { 0.0 },
            jitter: if image.is_some() { 0.0 } else { 0.5 },
        }
    }
}

impl Defaults {
    /// The same where this is predicted. A number is told by more units and finer steps than a class.
    ///
    /// Of those tried, what told numbers best on three tables, of up to 12 features, for its price: a second layer, whose
    /// inputs are clean, is worth more than a wider first one, and so are larger and finer weights than less noise.
    pub fn predicting(self, output: Output, image: bool) -> Self {
        if output != Output::Value {
            return self;
        }
        let mut hidden = self.hidden;
        if !image {
            hidden = vec![32, 16];
        }
        Self {
            hidden,
            activation: ActivationKind::Relu,
            activation_bits: 5,
            bits: if image { self.bits } else { 5 },
            weight_bits: 6,
            weight_norm: 40.0,
            // Few rows are learned by heart in large steps.
            learning_rate: if self.batch_size < 32 { 0.003 } else { self.learning_rate.min(0.01) },
            label_smoothing: 0.0,
            ..self
        }
    }
}

/// The convolution for an image, and whether it is small.
fn conv(image: ImageShape) -> (Vec<ConvBlock>, bool) {
    let side = image.height.min(image.width);
    let stride = (side / 9).max(2);
    let kernel = (2 * stride).min(side);
    let positions = (side - kernel) / stride + 1;
    let small = positions < 5;
    let filters = if small { 10 } else { 8 };
    (vec![ConvBlock { filters, kernel: [kernel, kernel], stride, padding: 0, pool: 1 }], small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_follow_the_image() {
        let image = |side| Some(ImageShape { height: side, width: side, channels: 1 });
        let conv = |filters, kernel, stride| ConvBlock { filters, kernel: [kernel; 2], stride, padding: 0, pool: 1 };
        let mnist = Defaults::new(NetworkKind::Cnn, image(28), 784, 60_000);
        assert_eq!((mnist.convs, mnist.hidden), (vec![conv(8, 6, 3)], vec![64]));
        let digits = Defaults::new(NetworkKind::Cnn, image(8), 64, 1347);
        assert_eq!((digits.convs, digits.hidden), (vec![conv(10, 4, 2)], vec![]));
        assert_eq!(Defaults::new(NetworkKind::Cnn, image(1), 1, 9).convs, vec![conv(10, 1, 2)]);
        assert_eq!(Defaults::new(NetworkKind::Qnn, None, 4, 112).hidden, vec![8]);
        assert_eq!(Defaults::new(NetworkKind::Mlp, image(28), 784, 60_000).hidden, vec![64]);
    }
    #[test]
    fn numbers_take_two_layers_and_finer_steps() {
        let of = |output| Defaults::new(NetworkKind::Mlp, None, 8, 400).predicting(output, false);
        let number = of(Output::Value);
        assert_eq!((number.hidden, number.activation_bits, number.bits), (vec![32, 16], 5, 5));
        assert_eq!(of(Output::Classes(2)).hidden, vec![8]);
    }
}
