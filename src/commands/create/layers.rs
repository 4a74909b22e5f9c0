//! Values of flags that describe a network's layers.

use fhectl_train::data::ImageShape;
use fhectl_train::train::ConvBlock;
use std::str::FromStr;

/// `--hidden`: `64,32`, or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widths(pub Vec<usize>);

/// `--conv`: `8@6x6/3`, several with commas between; see [`Convs::from_str`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convs(pub Vec<ConvBlock>);

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let width = |part: &str| part.trim().parse().ok().filter(|width| *width > 0);
        let widths: Option<Vec<usize>> = text.split(',').map(width).collect();
        widths.map(Self).ok_or_else(|| format!("`{text}` is no list of widths; want 64 or 64,32, or none"))
    }
}

impl FromStr for Convs {
    type Err = String;

    /// `FILTERS@HEIGHTxWIDTH`, then `/STRIDE`, `+PADDING` and `pPOOL` where they are not 1, 0 and 1.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no convolution; want 8@6x6/3, that is filters@kernel/stride, then +padding");
        let blocks: Option<Vec<ConvBlock>> = text.split(',').map(|part| block(part.trim())).collect();
        blocks.map(Self).ok_or_else(wrong)
    }
}

fn block(text: &str) -> Option<ConvBlock> {
    let (text, pool) = optional(text, 'p', 1)?;
    let (text, padding) = optional(text, '+', 0)?;
    let (text, stride) = optional(text, '/', 1)?;
    let (filters, kernel) = text.split_once('@')?;
    let (height, width) = kernel.split_once('x')?;
    let kernel = [height.parse().ok()?, width.parse().ok()?];
    Some(ConvBlock { filters: filters.parse().ok()?, kernel, stride, padding, pool })
}

/// What stands before `mark`, and the number behind it or what it is without.
fn optional(text: &str, mark: char, default: usize) -> Option<(&str, usize)> {
    match text.rsplit_once(mark) {
        Some((before, number)) => Some((before, number.parse().ok()?)),
        None => Some((text, default)),
    }
}

/// `--image`: `28x28` or `32x32x3`.
pub fn parse_image(text: &str) -> Result<ImageShape, String> {
    let sizes: Option<Vec<usize>> = text.split('x').map(|part| part.parse().ok().filter(|size| *size > 0)).collect();
    match sizes.as_deref() {
        Some([height, width]) => Ok(ImageShape { height: *height, width: *width, channels: 1 }),
        Some([height, width, channels]) => Ok(ImageShape { height: *height, width: *width, channels: *channels }),
        _ => Err(format!("`{text}` is no image size; want HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, such as 28x28")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_as_they_are_written() {
        assert_eq!("64, 32".parse(), Ok(Widths(vec![64, 32])));
        assert_eq!("none".parse(), Ok(Widths(vec![])));
        let conv = |filters, kernel, stride, padding, pool| ConvBlock { filters, kernel, stride, padding, pool };
        assert_eq!("8@6x6/3".parse(), Ok(Convs(vec![conv(8, [6, 6], 3, 0, 1)])));
        let two = Convs(vec![conv(4, [5, 3], 1, 2, 2), conv(16, [3, 3], 1, 0, 1)]);
        assert_eq!("4@5x3+2p2,16@3x3".parse(), Ok(two));
        for bad in ["", "8", "8@6", "@6x6", "8@6x6/", "8@6x6p", "8@6x6/3+-1"] {
            assert!(bad.parse::<Convs>().is_err(), "{bad}");
        }
        for bad in ["", "64,", "0", "-3", "a"] {
            assert!(bad.parse::<Widths>().is_err(), "{bad}");
        }
        assert_eq!(parse_image("28x20"), Ok(ImageShape { height: 28, width: 20, channels: 1 }));
        for bad in ["", "28", "28x0", "1x2x3x4", "axb"] {
            assert!(parse_image(bad).is_err(), "{bad}");
        }
    }
}
