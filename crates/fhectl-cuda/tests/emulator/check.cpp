// Every kernel against integer arithmetic. Linked with the emulated driver, or with a real one and PTX as arguments.
#include "device.hpp"
#include "reference.hpp"
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>

using namespace reference;

static int failures = 0;

static void report(bool right, const std::string &what) {
  printf("%s: %s\n", right ? "ok" : "WRONG", what.c_str());
  failures += !right;
}

static double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
static u32 padded(u32 width) { return (width + 127) / 128 * 128; }
static u32 blocks(u32 count, u32 each) { return (count + each - 1) / each; }
static constexpr u32 NONE = 0xffffffff;

static vector<u8> seed_from(Random &random) {
  vector<u8> seed(16);
  for (auto &byte : seed) byte = (u8)random.next();
  return seed;
}
static vector<u32> words_from(Random &random, size_t count) {
  vector<u32> words(count);
  for (auto &word : words) word = (u32)random.next();
  return words;
}

// ---- Rows ----

/// The row of coefficient `i` of a GLWE ciphertext.
static vector<u32> row_of(const u64 *mask, u64 body, u32 dimension, u32 size, u32 i, u32 stride) {
  vector<u32> row(stride);
  for (u32 p = 0; p < dimension; p++)
    for (u32 j = 0; j < size; j++) row[p * size + j] = j <= i ? narrow(mask[p * size + i - j]) : 0 - narrow(mask[p * size + size + i - j]);
  row[dimension * size] = narrow(body);
  return row;
}

static void check_keyswitch_key(const Module &module) {
  Random random{1};
  bool right = true;
  for (auto [dimension, size, bodies, bits] : vector<std::array<u32, 4>>{{19, 32, 70, 17}, {10, 64, 130, 64}, {3, 16, 5, 1}, {25, 32, 64, 57}}) {
    const u32 stride = padded(dimension * size + 1), ciphertexts = blocks(bodies, size);
    const auto seed = seed_from(random);
    vector<u64> body(bodies);
    for (auto &word : body) word = rounded(random.next(), bits);
    const auto masks = Aes(seed.data()).words((size_t)ciphertexts * dimension * size);
    Buffer<u8> wire(pack(seed.data(), body, bits));
    Buffer<u32> rows((size_t)bodies * stride);
    module.launch("expand_keyswitch_key", {ciphertexts}, 256, 4 * dimension * size, wire.at, bodies, dimension, size, bits, rows.at, stride);
    const auto got = rows.read();
    for (u32 i = 0; i < bodies; i++) {
      const auto want = row_of(&masks[(size_t)(i / size) * dimension * size], body[i], dimension, size, i % size, stride);
      right &= std::equal(want.begin(), want.end(), got.begin() + (size_t)i * stride);
    }
  }
  report(right, "expand_keyswitch_key");
}

static void check_inputs(const Module &module) {
  Random random{2};
  const u32 dimension = 5, size = 64, coefficients = 150, requests = 3, stride = padded(dimension * size + 1), of_request = blocks(coefficients, size);
  vector<u64> masks((size_t)requests * of_request * dimension * size), bodies(requests * coefficients);
  for (auto &word : masks) word = random.next();
  for (auto &word : bodies) word = random.next();
  auto reversed = masks;
  for (size_t p = 0; p < reversed.size(); p += size) std::reverse(reversed.begin() + p, reversed.begin() + p + size);
  Buffer<u64> d_masks(reversed), d_bodies(bodies);
  Buffer<u32> rows((size_t)requests * coefficients * stride);
  module.launch("extract_inputs", {requests * coefficients, stride / 128}, 128, 0, d_masks.at, d_bodies.at, dimension, size, coefficients, rows.at, stride);
  const auto got = rows.read();
  bool right = true;
  for (u32 i = 0; i < requests * coefficients; i++) {
    const u32 index = i % coefficients;
    const u64 *mask = &masks[((size_t)(i / coefficients) * of_request + index / size) * dimension * size];
    const auto want = row_of(mask, bodies[i], dimension, size, index % size, stride);
    right &= std::equal(want.begin(), want.end(), got.begin() + (size_t)i * stride);
  }
  report(right, "extract_inputs");
}

static void check_combine(const Module &module) {
  Random random{3};
  bool dense_right = true, sparse_right = true;
  for (auto [inputs, outputs, requests, width] : vector<std::array<u32, 4>>{{300, 19, 2, 641}, {1, 1, 1, 129}, {128, 8, 3, 128}}) {
    const u32 stride = padded(width), out_stride = stride + 128;
    const auto in = words_from(random, (size_t)requests * inputs * stride);
    const auto constants = words_from(random, outputs);
    vector<i32> weights(outputs * inputs);
    vector<u32> starts = {0}, terms;
    for (u32 o = 0; o < outputs; o++) {
      for (u32 t = 0; t < inputs; t++) {
        weights[o * inputs + t] = random.below(3) ? 0 : (i32)random.next();
        if (weights[o * inputs + t]) terms.insert(terms.end(), {t, (u32)weights[o * inputs + t]});
      }
      starts.push_back((u32)terms.size() / 2);
    }
    if (terms.empty()) terms = {0, 0};
    Buffer<u32> d_in(in), d_constants(constants), d_starts(starts), d_terms(terms), dense((size_t)requests * outputs * out_stride), sparse(dense.count);
    Buffer<i32> d_weights(weights);
    module.launch("combine_dense", {blocks(width, 128), blocks(outputs, 8), requests}, 128, 0, d_in.at, stride, inputs, d_weights.at, d_constants.at, dense.at, out_stride, width, outputs);
    module.launch("combine_sparse", {blocks(width, 128), outputs, requests}, 128, 0, d_in.at, stride, inputs, d_starts.at, d_terms.at, d_constants.at, sparse.at, out_stride, width, outputs);
    const auto got = dense.read(), got_sparse = sparse.read();
    for (u32 r = 0; r < requests; r++)
      for (u32 o = 0; o < outputs; o++)
        for (u32 w = 0; w < width; w++) {
          u32 want = w == width - 1 ? constants[o] : 0;
          for (u32 t = 0; t < inputs; t++) want += in[((size_t)r * inputs + t) * stride + w] * (u32)weights[o * inputs + t];
          dense_right &= got[((size_t)r * outputs + o) * out_stride + w] == want;
          sparse_right &= got_sparse[((size_t)r * outputs + o) * out_stride + w] == want;
        }
  }
  report(dense_right, "combine_dense");
  report(sparse_right, "combine_sparse");
}

static void check_keyswitch(const Module &module) {
  Random random{4};
  bool right = true;
  for (auto [from, to, base_log, levels, count, share] : vector<std::array<u32, 6>>{{512, 97, 3, 5, 70, 256}, {200, 64, 8, 2, 3, 4096}, {130, 130, 1, 31, 2, 16}, {100, 32, 7, 4, 1, 48}}) {
    const u32 stride = padded(from + 1), key_stride = padded(to + 1), depth = from * levels;
    auto rows = words_from(random, (size_t)count * stride);
    for (u32 i = 0; i < 4 && i < from; i++) rows[i] = std::array<u32, 4>{0, 0x80000000, 0x7fffffff, 0xffffffff}[i];
    const vector<vector<u32>> keys = {words_from(random, (size_t)depth * key_stride), words_from(random, (size_t)depth * key_stride)};
    // Ciphertexts of the two keys take turns.
    vector<u32> key_of(count), slots;
    for (u32 i = 0; i < count; i++) key_of[i] = i & 1;
    for (u32 key = 0; key < 2; key++) {
      for (u32 i = 0; i < count; i++)
        if (key_of[i] == key) slots.push_back(i);
      while (slots.size() % 64) slots.push_back(NONE);
    }
    Buffer<u32> d_rows(rows), key0(keys[0]), key1(keys[1]), d_key_of(key_of), d_slots(slots), out((size_t)count * key_stride);
    Buffer<u64> d_keys(vector<u64>{key0.at, key1.at});
    Buffer<i8> digits((size_t)count * depth);
    module.launch("keyswitch_digits", {count, blocks(std::max(from, to + 1), 256)}, 256, 0, d_rows.at, stride, from, base_log, levels, digits.at, out.at, key_stride, to);
    module.launch("keyswitch_product", {blocks(to + 1, 64), (u32)slots.size() / 64, blocks(depth, share)}, 256, 0, d_keys.at, d_key_of.at, d_slots.at, digits.at, depth, key_stride, out.at, key_stride, to + 1, share);
    const auto got = out.read();
    for (u32 c = 0; c < count; c++) {
      vector<u32> want(to + 1);
      want[to] = rows[(size_t)c * stride + from];
      for (u32 i = 0; i < from; i++) {
        const auto of_word = reference::keyswitch_digits(rows[(size_t)c * stride + i], base_log, levels);
        for (u32 l = 0; l < levels; l++)
          for (u32 w = 0; w <= to; w++) want[w] -= (u32)of_word[l] * keys[key_of[c]][(size_t)(i * levels + l) * key_stride + w];
      }
      right &= std::equal(want.begin(), want.end(), got.begin() + (size_t)c * key_stride);
    }
  }
  report(right, "keyswitch_digits, keyswitch_product");
}

static void check_switch_modulus(const Module &module) {
  Random random{5};
  bool right = true;
  for (u32 log_modulus : {10u, 9u, 12u}) {
    const u32 dimension = 641, count = 203, stride = padded(dimension + 1);
    auto rows = words_from(random, (size_t)count * stride);
    for (u32 c = 0; c < count; c++) {
      u32 *row = &rows[(size_t)c * stride];
      const u32 step = 1u << (32 - log_modulus);
      i64 errors = 0;
      for (u32 j = 0; j < dimension; j++) {
        // Words half way between two steps.
        if (c % 3 == 1) row[j] &= 0u - step / 2;
        errors += (i32)((row[j] + step / 2) / step * step - row[j]);
      }
      // Bodies that half the sum of errors brings next to a step, where it matters how the half of an odd sum is rounded.
      if (c % 3 == 2) row[dimension] = (row[dimension] & (0u - step)) - (u32)(errors >> 1) + (u32)random.below(3) - 1;
    }
    vector<u32> order(dimension), key_of(count);
    for (u32 i = 0; i < dimension; i++) order[i] = i;
    for (u32 i = dimension - 1; i > 0; i--) std::swap(order[i], order[random.below(i + 1)]);
    for (auto &key : key_of) key = (u32)random.below(2);
    Buffer<u32> d_rows(rows), d_order(order), d_key_of(key_of);
    Buffer<u64> orders(vector<u64>{0, d_order.at});
    Buffer<u16> switched((size_t)count * (dimension + 1));
    for (bool with_orders : {true, false}) {
      module.launch("switch_modulus", {blocks(count, 4)}, 128, 0, d_rows.at, stride, count, dimension, with_orders ? orders.at : (u64)0, d_key_of.at, log_modulus, switched.at);
      const auto got = switched.read();
      for (u32 c = 0; c < count; c++) {
        vector<u64> lwe;
        for (u32 i = 0; i <= dimension; i++)
          lwe.push_back((u64)rows[(size_t)c * stride + (with_orders && key_of[c] && i < dimension ? order[i] : i)] << 32);
        const auto want = reference::switch_modulus(lwe, log_modulus);
        right &= std::equal(want.begin(), want.end(), got.begin() + (size_t)c * (dimension + 1));
      }
    }
  }
  report(right, "switch_modulus");
}

// ---- Bootstraps ----

static constexpr u32 N = 512;

struct Parameters {
  u32 dimension, polynomials, base_log, levels, key_bits;
  u32 rows() const { return levels * polynomials; }
};

/// A client's keys, with secrets.
struct Keys {
  Parameters parameters;
  vector<u64> small;
  vector<i32> big;
  vector<u64> words; // [dimension][rows][polynomials][N], as on the wire
  vector<u8> wire;

  Keys(Parameters p, u64 number) : parameters(p), small(p.dimension), big((p.polynomials - 1) * N) {
    Random random{number};
    for (auto &bit : small) bit = random.below(2);
    for (auto &bit : big) bit = (i32)random.below(2);
    const auto seed = seed_from(random);
    const u32 k = p.polynomials - 1, rows = p.dimension * p.rows();
    const auto masks = Aes(seed.data()).words((size_t)rows * k * N);
    vector<u64> bodies;
    for (u32 row = 0; row < rows; row++) {
      const u32 level = row % p.rows() / p.polynomials, polynomial = row % p.polynomials;
      const u64 factor = small[row / p.rows()] << (64 - p.base_log * (p.levels - level));
      words.insert(words.end(), masks.begin() + (size_t)row * k * N, masks.begin() + (size_t)(row + 1) * k * N);
      vector<u64> body(N);
      for (u32 j = 0; j < N; j++) body[j] = (random.next() >> 46) - (1 << 17); // uniform noise, 18 bits
      for (u32 i = 0; i < k; i++) add_product(&big[i * N], &masks[((size_t)row * k + i) * N], N, body.data());
      if (polynomial == k)
        body[0] += factor;
      else
        for (u32 j = 0; j < N; j++) body[j] -= factor * (u64)(i64)big[polynomial * N + j];
      for (auto &word : body) word = rounded(word, p.key_bits);
      bodies.insert(bodies.end(), body.begin(), body.end());
      words.insert(words.end(), body.begin(), body.end());
    }
    wire = pack(seed.data(), bodies, p.key_bits);
  }

  /// The standard deviation of a bootstrap's error, in turns.
  double deviation() const {
    const auto &p = parameters;
    const double base = std::exp2(p.base_log), k = p.polynomials - 1;
    const double noise = std::exp2(36 - 128) / 12 + (p.key_bits < 64 ? std::exp2(-2.0 * p.key_bits) / 12 : 0);
    const double products = p.rows() * N * (base * base + 2) / 12 * noise;
    const double digits = std::exp2(-2.0 * p.base_log * p.levels) / 12 * (1 + k * N / 2) / 2;
    // Words of 32 bits, and spectra of 53.
    const double words = std::exp2(-64) / 12 * (1 + k * N / 2);
    const double spectra = std::exp2(-106) * 16 * p.rows() * N * base * base / 12 * (1 + k * N / 2);
    return std::sqrt(p.dimension * (products + digits + words + spectra));
  }
};

/// A phase under a key, in turns.
template <class Bit> static double phase(const u32 *row, const vector<Bit> &key) {
  u32 word = row[key.size()];
  for (size_t i = 0; i < key.size(); i++) word -= row[i] * (u32)key[i];
  return (i32)word / 4294967296.0;
}

/// What a bootstrap with a key of one bit has to give, but for the rounding of the last bits.
static vector<u32> one_bit(const Keys &keys, u32 degree, u32 body, const u32 *table, const u32 *zero) {
  const auto &p = keys.parameters;
  vector<u32> accumulator(zero, zero + p.polynomials * N), out;
  for (u32 j = 0; j < N; j++) accumulator[(p.polynomials - 1) * N + j] += rotated(table, N, j, 2 * N - body);
  vector<u64> sums(p.polynomials * N);
  for (u32 i = 0; i < p.polynomials; i++) {
    vector<vector<i32>> digits(p.levels, vector<i32>(N));
    for (u32 j = 0; j < N; j++) {
      const auto of_word = bootstrap_digits(rotated(&accumulator[i * N], N, j, degree) - accumulator[i * N + j], p.base_log, p.levels);
      for (u32 l = 0; l < p.levels; l++) digits[l][j] = of_word[l];
    }
    for (u32 l = 0; l < p.levels; l++)
      for (u32 o = 0; o < p.polynomials; o++)
        add_product(digits[l].data(), &keys.words[((size_t)(l * p.polynomials + i) * p.polynomials + o) * N], N, &sums[o * N]);
  }
  for (u32 j = 0; j < p.polynomials * N; j++) accumulator[j] += narrow(sums[j]);
  for (u32 i = 0; i + 1 < p.polynomials; i++)
    for (u32 j = 0; j < N; j++) out.push_back(j ? 0 - accumulator[i * N + N - j] : accumulator[i * N]);
  out.push_back(accumulator[(p.polynomials - 1) * N]);
  return out;
}

// ---- Encryptions of zero ----

/// `Zeros::add` on a ciphertext of zeros, from words of the stream, with the product of the key in integers. Says whether rho was drawn
/// again.
static vector<u32> zero_of(const vector<u64> &key, u32 k1, const vector<u64> &stream, u32 bound, u32 most_ones, bool &again) {
  const u32 k = k1 - 1;
  size_t next = 0;
  vector<i32> rho(k * N);
  for (u32 ones = most_ones + 1; ones > most_ones; next += k * N / 64) {
    again = next > 0;
    ones = 0;
    for (u32 j = 0; j < k * N; j++) ones += (u32)(rho[j] = (i32)(stream[next + j / 64] >> j % 64 & 1));
  }
  vector<u32> zero;
  for (u32 o = 0; o < k1; o++) {
    vector<u64> sum(N);
    for (u32 i = 0; i < k; i++) add_product(&rho[i * N], &key[(i * k1 + o) * N], N, sum.data());
    const u32 each = bound <= 30 ? 2 : 1;
    for (u32 j = 0; j < N; j++) sum[j] += t_uniform(stream[next + j / each] >> 32 * (j % each), bound + 2);
    next += N / each;
    for (u64 word : sum) zero.push_back(narrow(word));
  }
  return zero;
}

static void check_zeros(const Module &module, u32 k1, u32 bound, u32 key_bits, const char *module_name) {
  Random random{k1 * 100 + bound};
  const u32 k = k1 - 1, count = 12, seeds = 3;
  vector<vector<u64>> keys; // [k][k1][N]
  vector<vector<u8>> wires;
  for (int key = 0; key < 2; key++) {
    const auto seed = seed_from(random);
    vector<u64> words, bodies(k * N);
    for (auto &body : bodies) body = rounded(random.next(), key_bits);
    const auto masks = Aes(seed.data()).words((size_t)k * k * N);
    for (u32 i = 0; i < k; i++) {
      words.insert(words.end(), masks.begin() + i * k * N, masks.begin() + (i + 1) * k * N);
      words.insert(words.end(), bodies.begin() + i * N, bodies.begin() + (i + 1) * N);
    }
    keys.push_back(words);
    wires.push_back(pack(seed.data(), bodies, key_bits));
  }
  Buffer<u8> wire0(wires[0]), wire1(wires[1]);
  Buffer<double> key0((size_t)k * k1 * N), key1(key0.count);
  module.launch("expand_bootstrap_key", {k}, 32 * k1, 0, wire0.at, (u64)0, 1u, key_bits, key0.at);
  module.launch("expand_bootstrap_key", {k}, 32 * k1, 0, wire1.at, (u64)0, 1u, key_bits, key1.at);

  vector<vector<u8>> of_seeds;
  vector<u8> seed_bytes;
  for (u32 seed = 0; seed < seeds; seed++) {
    of_seeds.push_back(seed_from(random));
    seed_bytes.insert(seed_bytes.end(), of_seeds[seed].begin(), of_seeds[seed].end());
  }
  vector<u32> key_of(count), numbers;
  for (u32 c = 0; c < count; c++) {
    key_of[c] = c % 2;
    numbers.push_back(c == 4 ? NONE : c % seeds);
    numbers.push_back(c == 7 ? 0xffffffff : c < 3 ? 0 : (u32)random.next());
  }
  // As many are drawn again as not.
  const u32 most_ones = k * N / 2;
  Buffer<u64> d_keys(vector<u64>{key0.at, key1.at});
  Buffer<u8> d_seeds(seed_bytes);
  Buffer<u32> d_key_of(key_of), d_numbers(numbers), out((size_t)count * k1 * N);
  module.launch("encrypt_zeros", {count}, 32 * k1, 38064 + 4096 * k1, d_keys.at, d_key_of.at, d_seeds.at, d_numbers.at, bound, most_ones, out.at);
  const auto got = out.read();
  u32 off = 0, again = 0;
  bool right = true;
  for (u32 c = 0; c < count; c++) {
    vector<u32> want(k1 * N);
    if (numbers[2 * c] != NONE) {
      bool was_drawn_again;
      const auto stream = Aes(of_seeds[numbers[2 * c]].data()).words(k1 * N + 64 * k * N / 64, (u64)numbers[2 * c + 1] << 24);
      want = zero_of(keys[key_of[c]], k1, stream, bound, most_ones, was_drawn_again);
      again += was_drawn_again;
    }
    for (u32 j = 0; j < k1 * N; j++) {
      const u32 error = got[(size_t)c * k1 * N + j] - want[j];
      off += error != 0;
      right &= error + 1 <= 2;
    }
  }
  // Rounding meets a half more seldom than once in a thousand words.
  right &= again > 0 && off < count * k1 * N / 1000;
  report(right, std::string(module_name) + " encrypt_zeros, k+1=" + std::to_string(k1) + ", noise of " + std::to_string(bound) + " bits: " + std::to_string(off) + " of " +
                    std::to_string(count * k1 * N) + " words are off by one, " + std::to_string(again) + " were drawn again");
}

struct Variant {
  std::string name;
  u32 slots, threads, shared, stages;
};

/// The ways to bootstrap with these parameters.
static vector<Variant> variants(const Parameters &p, bool ring) {
  const u32 k1 = p.polynomials;
  vector<Variant> all = {{"bootstrap_block", 1, 32 * k1, 4608 + 6144 * k1 + 8192 * p.levels * k1, 0}};
  const u32 pair = 4608 + 8192 * k1 + 16384 * p.levels * k1;
  if (pair <= 166912) all.push_back({"bootstrap_pair", 2, 32 * k1, pair, 0});
  if (k1 <= 6)
    for (u32 warps : {1u, 5u, 8u}) {
      const u32 own = 4608 + warps * (4096 + 2048 * k1), most = 232448;
      const u32 stages = ring ? std::min(5u, (most - own) / (4096 * k1 + 16)) : 0;
      // Too few fit beside eight ciphertexts of the longest kind.
      if (ring && stages < 2) continue;
      all.push_back({"bootstrap_warp_k" + std::to_string(k1), warps, 32 * warps, own + stages * (4096 * k1 + 16), stages});
    }
  return all;
}

/// Slots for the ciphertexts of each key, with holes where a block is not full.
static vector<u32> slots_of(const vector<u32> &key_of, u32 each, u32 keys) {
  vector<u32> slots;
  for (u32 key = 0; key < keys; key++) {
    for (u32 i = 0; i < key_of.size(); i++)
      if (key_of[i] == key) slots.push_back(i);
    while (slots.size() % each) slots.push_back(NONE);
  }
  return slots;
}

static void check_bootstraps(const Module &module, bool ring, Parameters p, u32 count, const char *module_name) {
  Random random{p.polynomials * 1000 + p.base_log};
  const u32 k1 = p.polynomials, tables = 3, out_stride = padded((k1 - 1) * N + 1), stride = padded(p.dimension + 1);
  const vector<Keys> keys = {{p, 11}, {p, 12}};
  vector<u32> order(p.dimension), key_of(count), table_of(count);
  for (u32 i = 0; i < p.dimension; i++) order[i] = p.dimension - 1 - i;
  for (u32 i = 0; i < count; i++) key_of[i] = i % 3 == 0;
  for (auto &table : table_of) table = (u32)random.below(tables);

  Buffer<u32> d_order(order);
  Buffer<u8> wire0(keys[0].wire), wire1(keys[1].wire);
  const size_t numbers = (size_t)p.dimension * p.rows() * k1 * N;
  Buffer<double> key0(numbers), key1(numbers);
  module.launch("expand_bootstrap_key", {p.rows(), p.dimension}, 32 * k1, 0, wire0.at, (u64)0, p.levels, p.key_bits, key0.at);
  module.launch("expand_bootstrap_key", {p.rows(), p.dimension}, 32 * k1, 0, wire1.at, d_order.at, p.levels, p.key_bits, key1.at);

  // Phases are in the middle between two steps of the modulus switch's result, but for its error, which is known.
  vector<u32> rows = words_from(random, (size_t)count * stride), steps;
  vector<u32> table;
  for (u32 t = 0; t < tables; t++)
    for (u32 j = 0; j < N; j++) table.push_back((t + 1) * 0x06000000u + (j / 64) * 0x01000000u);
  Buffer<u32> d_rows(rows), d_key_of(key_of), d_table_of(table_of), d_table(table);
  Buffer<u64> orders(vector<u64>{0, d_order.at}), d_keys(vector<u64>{key0.at, key1.at});
  Buffer<u16> d_switched((size_t)count * (p.dimension + 1));
  module.launch("switch_modulus", {blocks(count, 4)}, 128, 0, d_rows.at, stride, count, p.dimension, orders.at, d_key_of.at, 10u, d_switched.at);
  const auto switched = d_switched.read();

  // Encryptions of zero without noise.
  vector<u32> zeros(0);
  for (u32 c = 0; c < count; c++) {
    const auto mask = words_from(random, (k1 - 1) * N);
    vector<u64> wide(mask.begin(), mask.end()), body(N);
    for (u32 i = 0; i + 1 < k1; i++) add_product(&keys[key_of[c]].big[i * N], &wide[i * N], N, body.data());
    zeros.insert(zeros.end(), mask.begin(), mask.end());
    for (u64 word : body) zeros.push_back((u32)word);
  }
  Buffer<u32> d_zeros(zeros);

  for (const auto &variant : variants(p, ring))
    for (bool with_zeros : {true, false}) {
      if (!with_zeros && variant.slots != 1) continue;
      const auto slots = slots_of(key_of, variant.slots, 2);
      Buffer<u32> d_slots(slots), out((size_t)count * out_stride);
      module.launch(variant.name, {(u32)slots.size() / variant.slots}, variant.threads, variant.shared, d_keys.at, d_key_of.at, d_slots.at, d_switched.at, d_table.at, d_table_of.at, with_zeros ? d_zeros.at : (u64)0, out.at, out_stride, p.dimension, p.base_log, p.levels, variant.stages);
      const auto got = out.read();
      bool right = true;
      double squares = 0, worst = 0;
      for (u32 c = 0; c < count; c++) {
        const u16 *words = &switched[(size_t)c * (p.dimension + 1)];
        const u32 *row = &got[(size_t)c * out_stride], *of_table = &table[table_of[c] * N];
        const auto &key = keys[key_of[c]];
        u32 step = words[p.dimension];
        for (u32 i = 0; i < p.dimension; i++) step -= words[i] * (u32)key.small[key_of[c] ? order[i] : i];
        step %= 2 * N;
        const double want = (i32)(step < N ? of_table[step] : 0 - of_table[step - N]) / 4294967296.0;
        double error = phase(row, key.big) - want;
        error -= std::round(error);
        squares += error * error;
        if (p.dimension == 1) {
          vector<u32> zero(k1 * N);
          if (with_zeros) std::copy_n(&zeros[(size_t)c * k1 * N], k1 * N, zero.begin());
          const auto exact = one_bit(key, words[0], words[1], of_table, zero.data());
          for (u32 j = 0; j < exact.size(); j++) worst = std::max(worst, std::abs((double)(i32)(exact[j] - row[j])));
        }
      }
      char text[200];
      const double measured = std::sqrt(squares / count), predicted = keys[0].deviation();
      if (p.dimension == 1) {
        // A word's rounding, and what 53 bits leave of the sums.
        const double most = 1 + std::exp2(p.base_log - 53.0 + 32 + 6) * std::sqrt(p.rows() * N / 512.0);
        right = worst <= most;
        snprintf(text, sizeof text, "coefficients are off by %.0f units of 2^-32 at most (%.0f allowed)", worst, most);
      } else {
        right = measured < 1.5 * predicted;
        snprintf(text, sizeof text, "error 2^%.2f, predicted 2^%.2f", std::log2(measured), std::log2(predicted));
      }
      report(right, std::string(module_name) + " " + variant.name + ", " + std::to_string(variant.slots) + " a block, n=" + std::to_string(p.dimension) + ", k+1=" + std::to_string(k1) + ", " +
                        std::to_string(p.levels) + " of " + std::to_string(p.base_log) + " bits" + (with_zeros ? "" : ", no zeros") + ": " + text);
    }
}

/// The text of a file, or of a module that the emulated driver takes.
static std::string text_of(int count, char **arguments, int index, const char *otherwise) {
  if (index >= count) return otherwise;
  std::ifstream file(arguments[index]);
  return {std::istreambuf_iterator<char>(file), {}};
}

int main(int count, char **arguments) {
  u8 block[16] = {}, zero[16] = {};
  Aes(zero).encrypt(block);
  report(block[0] == 0x66 && block[15] == 0x2e, "the reference has the known answer of AES");

  int device;
  void *context;
  MUST(cuInit(0));
  MUST(cuDeviceGet(&device, 0));
  MUST(cuDevicePrimaryCtxRetain(&context, device));
  MUST(cuCtxSetCurrent(context));
  const Module sm_80(text_of(count, arguments, 1, ".target sm_80")), sm_90(text_of(count, arguments, 2, ".target sm_90"));
  check_keyswitch_key(sm_90);
  check_inputs(sm_90);
  check_combine(sm_90);
  check_keyswitch(sm_90);
  check_switch_modulus(sm_90);

  for (auto [k1, bound, bits] : vector<std::array<u32, 3>>{{4, 27, 41}, {5, 17, 51}, {6, 31, 37}, {7, 3, 64}, {5, 30, 64}, {4, 58, 10}}) {
    check_zeros(sm_90, k1, bound, bits, "sm_90");
    check_zeros(sm_80, k1, bound, bits, "sm_80");
  }

  const double start = seconds();
  for (const Parameters &p : vector<Parameters>{{1, 4, 8, 1, 64}, {1, 5, 21, 1, 40}, {1, 5, 10, 2, 64}, {1, 6, 20, 1, 50}, {1, 7, 6, 3, 64}, {1, 8, 15, 2, 57}}) {
    check_bootstraps(sm_90, true, p, 19, "sm_90");
    check_bootstraps(sm_80, false, p, 19, "sm_80");
  }
  for (const Parameters &p : vector<Parameters>{{40, 4, 16, 1, 40}, {40, 5, 21, 1, 45}, {33, 5, 10, 2, 40}, {32, 6, 20, 1, 45}, {24, 7, 8, 3, 45}}) {
    check_bootstraps(sm_90, true, p, 19, "sm_90");
    check_bootstraps(sm_80, false, p, 19, "sm_80");
  }
  printf("bootstraps took %.1f s\n%s\n", seconds() - start, failures ? "FAILED" : "all right");
  return failures != 0;
}
