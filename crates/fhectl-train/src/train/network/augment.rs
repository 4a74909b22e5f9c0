//! Random small moves of images.

use crate::data::ImageShape;
use crate::data::random::Random;

/// How far images are moved at random; every value is drawn evenly from its range, each image anew each epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Up to so many pixels in each direction.
    pub shift: f64,
    /// Up to so many degrees either way.
    pub rotation: f64,
    /// Up to this share larger or smaller, and as much of a shear.
    pub scale: f64,
}

impl Augment {
    /// Moves that leave a digit what it is: a thirtieth of the image's side, nine degrees, a twelfth.
    pub fn for_image(image: ImageShape) -> Self {
        let side = image.height.min(image.width) as f64;
        Self { shift: side / 25.0, rotation: 9.0, scale: 0.09 }
    }

    /// The moved image: an affine map about the center, read with bilinear interpolation, zeros from outside.
    pub(crate) fn apply(&self, image: ImageShape, from: &[f32], to: &mut [f32], random: &mut Random) {
        let mut draw = |reach: f64| (2.0 * random.uniform() - 1.0) * reach;
        let (dx, dy, turn) = (draw(self.shift), draw(self.shift), draw(self.rotation).to_radians());
        let (grow_x, grow_y, shear) = (1.0 + draw(self.scale), 1.0 + draw(self.scale), draw(self.scale));
        let (sin, cos) = turn.sin_cos();
        let ImageShape { height, width, channels } = image;
        let center = ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0);
        for y in 0..height {
            for x in 0..width {
                let (v, u) = (y as f64 - center.0 - dy, x as f64 - center.1 - dx);
                let (v, u) = (cos * v - sin * u, sin * v + cos * u + shear * v);
                let (v, u) = ((v * grow_y + center.0) as f32, (u * grow_x + center.1) as f32);
                let (top, left) = (v.floor(), u.floor());
                let (down, right) = (v - top, u - left);
                let at = (y * width + x) * channels;
                for c in 0..channels {
                    let pixel = |row: f32, column: f32| {
                        let inside =
                            row >= 0.0 && column >= 0.0 && (row as usize) < height && (column as usize) < width;
                        if inside { from[(row as usize * width + column as usize) * channels + c] } else { 0.0 }
                    };
                    let upper = pixel(top, left) * (1.0 - right) + pixel(top, left + 1.0) * right;
                    let lower = pixel(top + 1.0, left) * (1.0 - right) + pixel(top + 1.0, left + 1.0) * right;
                    to[at + c] = upper * (1.0 - down) + lower * down;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_move_is_the_image_itself_and_moves_keep_most_of_it() {
        let image = ImageShape { height: 9, width: 9, channels: 2 };
        let mut from = vec![0f32; 162];
        (20..142).for_each(|at| from[at] = if (at / 18) % 9 > 2 && (at / 18) % 9 < 6 { 5.0 } else { 0.0 });
        let mut to = vec![0f32; 162];
        let still = Augment { shift: 0.0, rotation: 0.0, scale: 0.0 };
        still.apply(image, &from, &mut to, &mut Random::new(1));
        assert_eq!(from, to);
        let moved = Augment::for_image(image);
        moved.apply(image, &from, &mut to, &mut Random::new(1));
        assert_ne!(from, to);
        let (before, after): (f32, f32) = (from.iter().sum(), to.iter().sum());
        assert!((after / before - 1.0).abs() < 0.3, "{before} {after}");
        assert!(to.iter().all(|value| (0.0..=5.0).contains(value)));
    }
}
