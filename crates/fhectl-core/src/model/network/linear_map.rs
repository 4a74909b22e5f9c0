//! Linear maps of networks with integer weights: dense, convolution, sparse.

use super::super::invalid;
use super::limits::{MAX_TERMS, MAX_WEIGHTS, MAX_WIDTH};
use super::sparse::SparseShape;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A linear map: `outputs = weights * inputs + biases`. There is no separate average pooling: training and import merge it
/// into a convolution with a larger kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearMap {
    #[serde(flatten)]
    pub shape: MapShape,
    /// Dense: `[output][input]`. Convolution: `[filter][row][column][channel]`. Sparse: for each output, one weight for each
    /// of its inputs.
    pub weights: Vec<i32>,
    /// One per channel. For a sparse map one per output.
    pub biases: Vec<i64>,
}

/// The shape of a map, which fixes the order of its weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "map", rename_all = "snake_case")]
pub enum MapShape {
    Dense {
        inputs: usize,
        outputs: usize,
    },
    /// A convolution. Images are stored with channels last: index `(y * width + x) * channels + c`. `padding` rows and columns
    /// of zeros surround the image.
    Conv {
        height: usize,
        width: usize,
        channels: usize,
        filters: usize,
        kernel: [usize; 2],
        stride: usize,
        padding: usize,
    },
    /// Each output has its own list of inputs.
    Sparse(SparseShape),
}

impl MapShape {
    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        match *self {
            Self::Dense { inputs, .. } => inputs,
            Self::Conv { height, width, channels, .. } => height * width * channels,
            Self::Sparse(ref sparse) => sparse.inputs,
        }
    }

    /// The number of channels. Output `i` belongs to channel `i % channels`. The outputs of a channel share thresholds and,
    /// except in sparse maps, weights and bias.
    pub fn channels(&self) -> usize {
        match *self {
            Self::Dense { outputs, .. } => outputs,
            Self::Conv { filters, .. } => filters,
            Self::Sparse(ref sparse) => sparse.channels,
        }
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        match *self {
            Self::Dense { outputs, .. } => outputs,
            Self::Conv { filters, .. } => {
                let [rows, columns] = self.positions();
                rows * columns * filters
            }
            Self::Sparse(ref sparse) => sparse.rows.len(),
        }
    }

    /// Rows and columns of the output of a convolution, `[1, 1]` for other maps.
    pub fn positions(&self) -> [usize; 2] {
        match *self {
            Self::Dense { .. } | Self::Sparse(_) => [1, 1],
            Self::Conv { height, width, kernel, stride, padding, .. } => {
                let along = |size: usize, kernel: usize| (size + 2 * padding - kernel) / stride + 1;
                [along(height, kernel[0]), along(width, kernel[1])]
            }
        }
    }

    /// Weights per channel. For a sparse map, the largest number of inputs of an output.
    pub fn taps(&self) -> usize {
        match *self {
            Self::Dense { inputs, .. } => inputs,
            Self::Conv { channels, kernel, .. } => kernel[0] * kernel[1] * channels,
            Self::Sparse(ref sparse) => sparse.rows.iter().map(Vec::len).max().unwrap_or(0),
        }
    }

    /// The number of products of a weight and an input, including those with padding.
    pub fn terms(&self) -> usize {
        match self {
            Self::Dense { .. } | Self::Conv { .. } => self.outputs() * self.taps(),
            Self::Sparse(sparse) => sparse.entries(),
        }
    }

    /// The input index of each weight of a channel, in order, at a position of the output. `None` is padding. Empty for a
    /// sparse map, whose outputs share no window.
    pub fn window(&self, position: [usize; 2]) -> Vec<Option<usize>> {
        match *self {
            Self::Sparse(_) => Vec::new(),
            Self::Dense { inputs, .. } => (0..inputs).map(Some).collect(),
            Self::Conv { height, width, channels, kernel, stride, padding, .. } => {
                let mut taps = Vec::with_capacity(self.taps());
                for ky in 0..kernel[0] {
                    for kx in 0..kernel[1] {
                        let y = (position[0] * stride + ky).checked_sub(padding).filter(|y| *y < height);
                        let x = (position[1] * stride + kx).checked_sub(padding).filter(|x| *x < width);
                        let pixel = y.zip(x).map(|(y, x)| (y * width + x) * channels);
                        taps.extend((0..channels).map(|c| pixel.map(|pixel| pixel + c)));
                    }
                }
                taps
            }
        }
    }

    fn check(&self) -> Result<()> {
        let sizes: &[usize] = match self {
            Self::Dense { inputs, outputs } => &[*inputs, *outputs],
            Self::Conv { height, width, channels, filters, kernel, stride, padding } => {
                if *padding >= kernel[0] || *padding >= kernel[1] {
                    return Err(invalid("padding as wide as the kernel"));
                }
                &[*height, *width, *channels, *filters, kernel[0], kernel[1], *stride]
            }
            Self::Sparse(sparse) => return sparse.check(),
        };
        let product = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
        if sizes.iter().any(|size| *size == 0 || *size > MAX_WIDTH) || product.is_none() {
            return Err(invalid(format!("sizes {sizes:?} of a linear map")));
        }
        if let Self::Conv { height, width, kernel, padding, .. } = self
            && (kernel[0] > height + 2 * padding || kernel[1] > width + 2 * padding)
        {
            return Err(invalid("the kernel is larger than the padded image"));
        }
        if self.inputs() > MAX_WIDTH || self.outputs() > MAX_WIDTH {
            return Err(invalid(format!("{} inputs, {} outputs, at most {MAX_WIDTH}", self.inputs(), self.outputs())));
        }
        let terms = self.outputs().saturating_mul(self.taps().min(self.inputs()));
        if terms > MAX_TERMS {
            return Err(invalid(format!("{terms} products of a weight and an input, at most {MAX_TERMS}")));
        }
        Ok(())
    }
}

impl LinearMap {
    /// The weights of a channel, for a dense map or a convolution.
    pub fn of(&self, channel: usize) -> &[i32] {
        let taps = self.shape.taps();
        &self.weights[channel * taps..][..taps]
    }

    /// Calls `visit` with the bias, the input indices (`None` is padding) and the weights of each output, in order.
    pub fn for_each_sum(&self, mut visit: impl FnMut(i64, &[Option<usize>], &[i32])) {
        if let MapShape::Sparse(sparse) = &self.shape {
            let mut weights = self.weights.as_slice();
            let mut window = Vec::new();
            for (row, bias) in sparse.rows.iter().zip(&self.biases) {
                let (own, rest) = weights.split_at(row.len());
                weights = rest;
                window.clear();
                window.extend(row.iter().map(|input| Some(*input as usize)));
                visit(*bias, &window, own);
            }
            return;
        }
        let [rows, columns] = self.shape.positions();
        for position in (0..rows).flat_map(|y| (0..columns).map(move |x| [y, x])) {
            let window = self.shape.window(position);
            for (channel, bias) in self.biases.iter().enumerate() {
                visit(*bias, &window, self.of(channel));
            }
        }
    }

    /// The outputs for these inputs.
    pub fn apply(&self, inputs: &[i64]) -> Vec<i64> {
        if let MapShape::Sparse(sparse) = &self.shape {
            return sparse.apply(&self.weights, &self.biases, inputs);
        }
        let [rows, columns] = self.shape.positions();
        let mut outputs = Vec::with_capacity(self.shape.outputs());
        for position in (0..rows).flat_map(|y| (0..columns).map(move |x| [y, x])) {
            let gathered: Vec<i64>;
            let values = match self.shape {
                MapShape::Dense { .. } => inputs,
                _ => {
                    let window = self.shape.window(position);
                    gathered = window.iter().map(|tap| tap.map_or(0, |index| inputs[index])).collect();
                    &gathered
                }
            };
            outputs.extend(self.biases.iter().enumerate().map(|(channel, bias)| {
                bias + self.of(channel).iter().zip(values).map(|(w, x)| i64::from(*w) * x).sum::<i64>()
            }));
        }
        outputs
    }

    /// The squared Euclidean norm of the weights of each channel, for a sparse map of each output: the factor by which the
    /// variance of independent noise on the inputs grows.
    pub fn squared_norms(&self) -> Vec<f64> {
        self.lists().map(|weights| weights.iter().map(|w| f64::from(*w).powi(2)).sum()).collect()
    }

    /// The weights of each channel, for a sparse map of each output.
    fn lists(&self) -> Box<dyn Iterator<Item = &[i32]> + '_> {
        match &self.shape {
            MapShape::Sparse(sparse) => Box::new(sparse.split(&self.weights)),
            _ => Box::new((0..self.shape.channels()).map(|channel| self.of(channel))),
        }
    }

    /// Checks the sizes, and that no sum can reach 2^62 for inputs up to `largest` in magnitude.
    ///
    /// # Errors
    /// `model_invalid`.
    pub(super) fn check(&self, inputs: usize, largest: i128) -> Result<()> {
        self.shape.check()?;
        if self.shape.inputs() != inputs {
            return Err(invalid(format!("takes {} inputs, is given {inputs}", self.shape.inputs())));
        }
        let (wanted, biases) = match &self.shape {
            MapShape::Sparse(sparse) => (Some(sparse.entries()), sparse.rows.len()),
            shape => (shape.taps().checked_mul(shape.channels()), shape.channels()),
        };
        if wanted != Some(self.weights.len()) || self.weights.len() > MAX_WEIGHTS {
            return Err(invalid(format!("{} weights, want {wanted:?}, at most {MAX_WEIGHTS}", self.weights.len())));
        }
        if self.biases.len() != biases {
            return Err(invalid(format!("{} biases, want {biases}", self.biases.len())));
        }
        for (channel, (weights, bias)) in self.lists().zip(&self.biases).enumerate() {
            let reach: i128 = weights.iter().map(|w| i128::from(w.unsigned_abs()) * largest).sum();
            if reach + i128::from(bias.unsigned_abs()) >= 1 << 62 {
                return Err(invalid(format!("channel {channel}: a sum can go beyond 2^62")));
            }
        }
        Ok(())
    }
}
