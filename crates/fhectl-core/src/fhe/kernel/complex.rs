//! Arithmetic of complex numbers, one a lane.

use super::vector::Vector;

/// A complex number a lane.
#[derive(Debug, Clone, Copy)]
pub struct Complex<F> {
    pub re: F,
    pub im: F,
}

#[inline(always)]
pub fn add<S: Vector>(s: S, a: Complex<S::f64s>, b: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.add_f64s(a.re, b.re), im: s.add_f64s(a.im, b.im) }
}

#[inline(always)]
pub fn sub<S: Vector>(s: S, a: Complex<S::f64s>, b: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.sub_f64s(a.re, b.re), im: s.sub_f64s(a.im, b.im) }
}

/// `a + i b`
#[inline(always)]
pub fn add_turned<S: Vector>(s: S, a: Complex<S::f64s>, b: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.sub_f64s(a.re, b.im), im: s.add_f64s(a.im, b.re) }
}

/// `a - i b`
#[inline(always)]
pub fn sub_turned<S: Vector>(s: S, a: Complex<S::f64s>, b: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.add_f64s(a.re, b.im), im: s.sub_f64s(a.im, b.re) }
}

#[inline(always)]
pub fn mul<S: Vector>(s: S, a: Complex<S::f64s>, w: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.fnma(a.im, w.im, s.mul_f64s(a.re, w.re)), im: s.fma(a.im, w.re, s.mul_f64s(a.re, w.im)) }
}

/// `a` times the conjugate of `w`.
#[inline(always)]
pub fn mul_conjugate<S: Vector>(s: S, a: Complex<S::f64s>, w: Complex<S::f64s>) -> Complex<S::f64s> {
    Complex { re: s.fma(a.im, w.im, s.mul_f64s(a.re, w.re)), im: s.fnma(a.re, w.im, s.mul_f64s(a.im, w.re)) }
}
