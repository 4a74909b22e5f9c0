// What the kernels have to compute, in integers and as plainly as possible.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace reference {
using std::vector;
using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i32 = int32_t;
using i64 = int64_t;
using i8 = int8_t;

/// Numbers for tests (splitmix64).
struct Random {
  u64 state;
  u64 next() {
    u64 z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  u64 below(u64 limit) { return next() % limit; }
};

inline u32 narrow(u64 word) { return (u32)((word + (1ull << 31)) >> 32); }

/// AES-128 as FIPS 197 describes it, byte by byte.
class Aes {
  u8 box[256], keys[176];

  static u8 times(u8 a, u8 b) {
    u8 product = 0;
    for (; b; b >>= 1) {
      if (b & 1) product ^= a;
      a = (u8)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
    }
    return product;
  }

public:
  explicit Aes(const u8 *key) {
    for (int x = 0; x < 256; x++) {
      u8 inverse = 0;
      for (int y = 1; y < 256; y++)
        if (times((u8)x, (u8)y) == 1) inverse = (u8)y;
      u8 s = 0x63;
      for (int k = 0; k < 5; k++) s ^= (u8)(inverse << k | inverse >> (8 - k));
      box[x] = s;
    }
    memcpy(keys, key, 16);
    u8 constant = 1;
    for (int i = 16; i < 176; i += 4) {
      u8 word[4];
      memcpy(word, keys + i - 4, 4);
      if (i % 16 == 0) {
        const u8 first = word[0];
        for (int b = 0; b < 4; b++) word[b] = box[b < 3 ? word[b + 1] : first];
        word[0] ^= constant;
        constant = times(constant, 2);
      }
      for (int b = 0; b < 4; b++) keys[i + b] = keys[i - 16 + b] ^ word[b];
    }
  }

  void encrypt(u8 *state) const {
    for (int b = 0; b < 16; b++) state[b] ^= keys[b];
    for (int round = 1; round <= 10; round++) {
      u8 next[16];
      for (int c = 0; c < 4; c++)
        for (int r = 0; r < 4; r++) next[4 * c + r] = box[state[4 * ((c + r) % 4) + r]];
      for (int c = 0; c < 4; c++)
        for (int r = 0; r < 4; r++) {
          const u8 *column = next + 4 * c;
          const u8 mixed = times(column[r], 2) ^ times(column[(r + 1) % 4], 3) ^ column[(r + 2) % 4] ^ column[(r + 3) % 4];
          state[4 * c + r] = (round < 10 ? mixed : column[r]) ^ keys[16 * round + 4 * c + r];
        }
    }
  }

  /// `count` words of the stream, from word number `first` on, which is even.
  vector<u64> words(size_t count, u64 first = 0) const {
    vector<u64> words(count + 1);
    for (size_t block = 0; 2 * block < count; block++) {
      u8 bytes[16] = {};
      for (int b = 0; b < 8; b++) bytes[15 - b] = (u8)((first / 2 + block) >> (8 * b));
      encrypt(bytes);
      memcpy(&words[2 * block], bytes, 16);
    }
    words.resize(count);
    return words;
  }
};

/// Bodies, rounded to `bits` bits, after a seed.
inline vector<u8> pack(const u8 *seed, const vector<u64> &bodies, u32 bits) {
  vector<u8> wire(seed, seed + 16);
  wire.resize(16 + (bodies.size() * bits + 7) / 8);
  for (size_t i = 0; i < bodies.size(); i++)
    for (u32 b = 0; b < bits; b++) {
      const size_t at = i * bits + b;
      wire[16 + at / 8] |= (u8)((bodies[i] >> (64 - bits + b) & 1) << at % 8);
    }
  return wire;
}

inline u64 rounded(u64 word, u32 bits) { return bits == 64 ? word : (word + (1ull << (63 - bits))) >> (64 - bits) << (64 - bits); }

/// tfhe's `lwe_ciphertext_centered_binary_modulus_switch`, line by line.
inline vector<u16> switch_modulus(const vector<u64> &lwe, u32 log_modulus) {
  const auto to_modulus = [=](u64 a) { return (a + (1ull << (63 - log_modulus))) >> (64 - log_modulus); };
  u64 half_errors = 0;
  i64 halving_errors_doubled = 0;
  vector<u16> switched;
  for (size_t i = 0; i + 1 < lwe.size(); i++) {
    const i64 error = (i64)((to_modulus(lwe[i]) << (64 - log_modulus)) - lwe[i]);
    const i64 half = error / 2;
    halving_errors_doubled += 2 * half - error;
    half_errors += (u64)half;
    switched.push_back((u16)to_modulus(lwe[i]));
  }
  const u64 correction = half_errors - (u64)(halving_errors_doubled / 2) - (1ull << (63 - log_modulus));
  switched.push_back((u16)to_modulus(lwe.back() + correction));
  return switched;
}

/// Balanced digits in [-B/2, B/2) of a word, most significant first.
inline vector<i32> keyswitch_digits(u32 word, u32 base_log, u32 levels) {
  const u32 kept = base_log * levels;
  u64 rest = ((u64)word + (1ull << (31 - kept))) >> (32 - kept);
  vector<i32> digits(levels);
  for (u32 l = levels; l-- > 0;) {
    i64 digit = (i64)(rest & ((1u << base_log) - 1));
    if (digit >= 1 << (base_log - 1)) digit -= 1 << base_log;
    digits[l] = (i32)digit;
    rest = (rest - (u64)digit) >> base_log;
  }
  return digits;
}

/// Balanced digits in [-B/2, B/2] of a bootstrap, least significant first: nearest with halves away from zero, and B/2 chosen so that
/// negatives have negative digits.
inline vector<i32> bootstrap_digits(u32 word, u32 base_log, u32 levels) {
  const u32 unused = 32 - base_log * levels;
  const i64 value = (i32)word, unit = 1ll << unused, base = 1ll << base_log;
  i64 rest = (std::llabs(value) + unit / 2) / unit * (value < 0 ? -1 : 1);
  vector<i32> digits;
  for (u32 l = 0; l + 1 < levels; l++) {
    const i64 low = (rest % base + base) % base, above = (rest - low) / base;
    const bool carries = low > base / 2 || (low == base / 2 && (above & base / 2) != 0);
    digits.push_back((i32)(carries ? low - base : low));
    rest = above + carries;
  }
  digits.push_back((i32)rest);
  return digits;
}

/// Word `j` of polynomial * X^degree modulo X^N + 1.
template <class W> W rotated(const W *polynomial, size_t size, size_t j, size_t degree) {
  const size_t from = (j + 2 * size - degree % (2 * size)) % (2 * size);
  return from < size ? polynomial[from] : (W)(0 - polynomial[from - size]);
}

/// A TUniform(b) sample of `bits` = b + 2 uniform bits: in [-2^b, 2^b], both ends half as likely.
inline u64 t_uniform(u64 uniform, u32 bits) {
  const u64 draw = uniform & ((1ull << bits) - 1);
  return draw / 2 + draw % 2 - (1ull << (bits - 2));
}

/// out += small * words modulo X^N + 1 and 2^64.
inline void add_product(const i32 *small, const u64 *words, size_t size, u64 *out) {
  vector<u64> twice(2 * size);
  for (size_t j = 0; j < size; j++) {
    twice[j] = 0 - words[j];
    twice[j + size] = words[j];
  }
  for (size_t t = 0; t < size; t++) {
    const u64 factor = (u64)(i64)small[t];
    if (factor)
      for (size_t j = 0; j < size; j++) out[j] += factor * twice[size - t + j];
  }
}
} // namespace reference
