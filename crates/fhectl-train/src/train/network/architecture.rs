//! What a network is made of, as a person states it, and the linear maps that follow.

use crate::data::ImageShape;
use fhectl_core::error::{Error, ErrorCode, Result};
use fhectl_core::model::MapShape;

/// The most activations of one inference: each is a bootstrap of milliseconds.
const MAX_ACTIVATIONS: usize = 1 << 14;
/// The most weights that are trained here.
const MAX_WEIGHTS: usize = 1 << 22;
/// The most layers with an activation.
const MAX_LAYERS: usize = 8;

/// A convolution, and the mean of `pool * pool` neighbors before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvBlock {
    pub filters: usize,
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: usize,
    /// 1 for none. Pooling sums before the activation, where it is linear: the network that results has one larger
    /// kernel of the same weights.
    pub pool: usize,
}

/// The shape of a staircase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationKind {
    /// `0..2^bits - 1`: a ReLU cut off above.
    Relu,
    /// `-1` or `1`.
    Sign,
    /// `-(2^(bits-1) - 1) ..= 2^(bits-1) - 1`: a line cut off at both ends, as tanh is nearly.
    Tanh,
}

/// A network from features to one score a class: convolutions, then dense layers, each with an activation; then the
/// scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// Needed by convolutions and augmentation.
    pub image: Option<ImageShape>,
    pub convs: Vec<ConvBlock>,
    /// Units of each dense layer before the scores.
    pub hidden: Vec<usize>,
    pub activation: ActivationKind,
    pub activation_bits: u32,
}

/// One linear map while it is trained.
#[derive(Debug, Clone)]
pub(super) struct LayerShape {
    /// The map as exported: pooling is folded into it.
    pub(super) map: MapShape,
    /// With pooling: where each trained weight of a channel goes in the folded kernel, once a pooled neighbor.
    pub(super) fold: Option<Vec<Vec<u32>>>,
}

impl LayerShape {
    /// Trained weights a channel.
    pub(super) fn weights(&self) -> usize {
        self.fold.as_ref().map_or(self.map.taps(), Vec::len)
    }
}

impl ActivationKind {
    /// The lowest and the highest output.
    pub(super) fn ends(self, bits: u32) -> (f32, f32) {
        match self {
            Self::Relu => (0.0, ((1u32 << bits) - 1) as f32),
            Self::Sign => (-1.0, 1.0),
            Self::Tanh => {
                let top = ((1u32 << (bits - 1)) - 1) as f32;
                (-top, top)
            }
        }
    }

    /// The fewest bits that leave two outputs.
    fn least_bits(self) -> u32 {
        if self == Self::Tanh { 2 } else { 1 }
    }
}

impl Architecture {
    /// Whether the layers fit together and onto rows of so many features and classes.
    ///
    /// # Errors
    /// As training says them, before any time was spent.
    pub fn check(&self, features: usize, classes: usize) -> Result<()> {
        self.layers(features, classes).map(|_| ())
    }

    /// The number of sums of every layer, the scores' last.
    ///
    /// # Errors
    /// As [`Architecture::check`].
    pub fn widths(&self, features: usize, classes: usize) -> Result<Vec<usize>> {
        Ok(self.layers(features, classes)?.iter().map(|layer| layer.map.outputs()).collect())
    }

    /// The maps from `features` values to `classes` scores, the scores' last.
    ///
    /// # Errors
    /// `network_layers` for sizes that are zero, too large or too many, `activation_bits`, `image_missing`,
    /// `image_size` where the image has another number of values than there are features, `kernel_size` where a kernel
    /// does not fit its image.
    pub(super) fn layers(&self, features: usize, classes: usize) -> Result<Vec<LayerShape>> {
        let least = self.activation.least_bits();
        if !(least..=8).contains(&self.activation_bits) {
            return Err(Error::new(
                ErrorCode::ActivationBits,
                format!("activations of {} bits, want {least} to 8", self.activation_bits),
            )
            .hint("try `--activation-bits 3`"));
        }
        if self.convs.len() + self.hidden.len() > MAX_LAYERS {
            return Err(layers(format!(
                "{} hidden layers, at most {MAX_LAYERS}",
                self.convs.len() + self.hidden.len()
            )));
        }
        if let Some(image) = self.image {
            image.check(features)?;
        }
        let mut shapes = Vec::new();
        let mut width = features;
        if !self.convs.is_empty() {
            let mut image = self.image.ok_or_else(|| {
                Error::new(
                    ErrorCode::ImageMissing,
                    format!("a convolution over {features} features needs the image's size"),
                )
                .hint("say it with `--image HEIGHTxWIDTH` or `--image HEIGHTxWIDTHxCHANNELS`")
            })?;
            for (index, conv) in self.convs.iter().enumerate() {
                let shape = conv.shape(image).map_err(|error| error.context(format!("convolution {}", index + 1)))?;
                let [height, width] = shape.map.positions();
                image = ImageShape { height, width, channels: conv.filters };
                shapes.push(shape);
            }
            width = image.height * image.width * image.channels;
        }
        for outputs in self.hidden.iter().copied().chain([classes]) {
            if outputs == 0 || outputs > MAX_ACTIVATIONS {
                return Err(layers(format!("a layer of {outputs} units, want 1 to {MAX_ACTIVATIONS}")));
            }
            shapes.push(LayerShape { map: MapShape::Dense { inputs: width, outputs }, fold: None });
            width = outputs;
        }
        let activations: usize = shapes[..shapes.len() - 1].iter().map(|shape| shape.map.outputs()).sum();
        if activations > MAX_ACTIVATIONS {
            return Err(layers(format!("{activations} activations, at most {MAX_ACTIVATIONS}")));
        }
        let weights: usize = shapes.iter().map(|shape| shape.map.taps() * shape.map.channels()).sum();
        if weights > MAX_WEIGHTS {
            return Err(layers(format!("{weights} weights, at most {MAX_WEIGHTS}")));
        }
        Ok(shapes)
    }
}

impl ConvBlock {
    fn shape(&self, image: ImageShape) -> Result<LayerShape> {
        let Self { filters, kernel, stride, padding, pool } = *self;
        if [filters, kernel[0], kernel[1], stride, pool].iter().any(|size| !(1..=4096).contains(size)) {
            return Err(layers("filters, kernel, stride and pooling must be 1 to 4096".into()));
        }
        if padding >= kernel[0] || padding >= kernel[1] {
            return Err(Error::new(
                ErrorCode::KernelSize,
                format!("padding {padding} for a kernel of {}x{}", kernel[0], kernel[1]),
            )
            .hint("padding must be smaller than the kernel"));
        }
        let folded = kernel.map(|side| side + (pool - 1) * stride);
        if folded[0] > image.height + 2 * padding || folded[1] > image.width + 2 * padding {
            let with = if pool > 1 { format!(", {}x{} with its pooling", folded[0], folded[1]) } else { String::new() };
            return Err(Error::new(
                ErrorCode::KernelSize,
                format!(
                    "a kernel of {}x{}{with} on an image of {}x{} with padding {padding}",
                    kernel[0], kernel[1], image.height, image.width
                ),
            )
            .hint("the kernel must fit into the padded image"));
        }
        let ImageShape { height, width, channels } = image;
        let map = MapShape::Conv { height, width, channels, filters, kernel: folded, stride: stride * pool, padding };
        let place = |y: usize, x: usize, c: usize| ((y * folded[1] + x) * channels + c) as u32;
        let neighbors = |tap: usize| {
            let (pixel, c) = (tap / channels, tap % channels);
            let (y, x) = (pixel / kernel[1], pixel % kernel[1]);
            let places = (0..pool).flat_map(move |py| (0..pool).map(move |px| [py, px]));
            places.map(|[py, px]| place(y + py * stride, x + px * stride, c)).collect()
        };
        let fold = (pool > 1).then(|| (0..kernel[0] * kernel[1] * channels).map(neighbors).collect());
        Ok(LayerShape { map, fold })
    }
}

fn layers(message: String) -> Error {
    Error::new(ErrorCode::NetworkLayers, message).hint("see --hidden and --conv in `fhectl create --help`")
}
