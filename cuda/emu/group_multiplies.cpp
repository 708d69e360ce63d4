#include "group_multiplies.h"

#include <cmath>
#include <cstring>

#include "device.h"

namespace gtr::cuda::emu {
namespace {

constexpr int kInputs = 16;     // of a product
constexpr int kRowBytes = 128;  // of a tile
constexpr int kChunk = 16;      // bytes; rows are swizzled by chunks

// The 16 inputs of a row, whose number in its tile is r; adds their bits to the checksum.
void load_row(const unsigned char* row, int r, int k, float (&values)[kInputs], uint64_t* checksum) {
  for (int half = 0; half < 2; ++half) {
    const unsigned char* chunk = row + ((2 * k + half) ^ (r % 8)) * kChunk;
    uint16_t bits[kChunk / 2];
    std::memcpy(bits, chunk, sizeof bits);
    uint64_t words[2];
    std::memcpy(words, chunk, sizeof words);
    *checksum = (*checksum ^ words[0]) * 0x9e3779b97f4a7c15u + words[1];
    for (int i = 0; i < kChunk / 2; ++i) values[half * (kChunk / 2) + i] = to_float(Bf16{bits[i]});
  }
}

typedef float Four __attribute__((vector_size(4 * sizeof(float))));

// sums [columns / 2] += the products of the thread's two rows of a with its columns, one after the other, k = 0..15,
// as multiply_tiles adds them. sums may be null: only the checksum of what would be read.
uint64_t multiply(const unsigned char* a, const unsigned char* b, int columns, int k, int thread, float* sums) {
  uint64_t checksum = 0;
  const int group = thread % kWarp / 4;
  const int pair = thread % 4 * 2;
  float top[kInputs];
  float bottom[kInputs];
  load_row(a, group, k, top, &checksum);
  load_row(a + 8 * kRowBytes, group, k, bottom, &checksum);
  for (int n = 0; n < columns / 8; ++n) {
    float left[kInputs];
    float right[kInputs];
    load_row(b + (8 * n + pair) * kRowBytes, pair, k, left, &checksum);
    load_row(b + (8 * n + pair + 1) * kRowBytes, pair + 1, k, right, &checksum);
    if (sums == nullptr) continue;
    Four four;
    std::memcpy(&four, sums + 4 * n, sizeof four);
    for (int i = 0; i < kInputs; ++i) {
      four += Four{top[i], top[i], bottom[i], bottom[i]} * Four{left[i], right[i], left[i], right[i]};
    }
    std::memcpy(sums + 4 * n, &four, sizeof four);
  }
  return checksum;
}

}  // namespace

void GroupMultiplies::issue(float* d, int columns, const void* a, const void* b, int k, int thread) {
  const int row = thread / kWarp * 16 + thread % kWarp / 4;
  Product product{d,
                  columns,
                  static_cast<const unsigned char*>(a) + row * kRowBytes,
                  static_cast<const unsigned char*>(b),
                  k,
                  thread,
                  open_group_,
                  0,
                  {}};
  const Product* before = nullptr;  // what the sums will be, if they are under way
  for (size_t i = first_; i < products_.size(); ++i) {
    if (products_[i].d == d) before = &products_[i];
  }
  product.sums.assign(before == nullptr ? d : before->sums.data(),
                      (before == nullptr ? d : before->sums.data()) + columns / 2);
  product.tiles = multiply(product.a, product.b, columns, k, thread, product.sums.data());
  for (int i = 0; i < columns / 2; ++i) d[i] = NAN;
  products_.push_back(std::move(product));
}

const char* GroupMultiplies::wait(unsigned younger) {
  for (; first_ < products_.size(); ++first_) {
    const Product& product = products_[first_];
    if (product.group + younger >= open_group_) break;
    for (int i = 0; i < product.columns / 2; ++i) {
      if (!std::isnan(product.d[i])) return "the sums of a group's product were written while it was under way";
    }
    if (multiply(product.a, product.b, product.columns, product.k, product.thread, nullptr) != product.tiles) {
      return "a tile of a group's product was written while it was under way";
    }
    bool is_last = true;  // that adds to these sums
    for (size_t i = first_ + 1; i < products_.size(); ++i) is_last = is_last && products_[i].d != product.d;
    if (is_last) std::memcpy(product.d, product.sums.data(), product.sums.size() * sizeof(float));
  }
  if (first_ == products_.size()) {
    products_.clear();
    first_ = 0;
  }
  return nullptr;
}

void GroupMultiplies::forget() {
  products_.clear();
  first_ = 0;
  open_group_ = 0;
}

}  // namespace gtr::cuda::emu
