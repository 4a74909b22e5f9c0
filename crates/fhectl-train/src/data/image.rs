//! The size of the images that rows are.

use fhectl_core::error::{Error, ErrorCode, Result};

/// A row's values are the image's, row after row, channels innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl ImageShape {
    /// Refuses rows of another number of values.
    ///
    /// # Errors
    /// `image_size` naming both sizes.
    pub fn check(&self, features: usize) -> Result<()> {
        let size = self.height.checked_mul(self.width).and_then(|size| size.checked_mul(self.channels));
        if size == Some(features) && features > 0 {
            return Ok(());
        }
        let Self { height, width, channels } = self;
        let values = size.map_or("too many".to_owned(), |size| size.to_string());
        Err(Error::new(
            ErrorCode::ImageSize,
            format!("an image of {height}x{width}x{channels} has {values} values, the data has {features} features"),
        )
        .hint("give --image as HEIGHTxWIDTHxCHANNELS of the data's rows"))
    }
}
