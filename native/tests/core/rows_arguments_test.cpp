// gtr_embed, gtr_gather, gtr_scatter, gtr_noise and gtr_philox: every refusal.
#include "fixture.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;

template <typename T>
void expect_unchanged(const Array<T>& array, T value) {
  bool unchanged = true;
  for (const T element : array.values) unchanged = unchanged && element == value;
  EXPECT(unchanged);
}

void embed(const Fixture& f) {
  constexpr const char* kOperation = "gtr_embed";
  const Array<float> first({5, 6}), second({2, 6}), position({7, 6}), y({4, 6}, 7.0f);
  Array<int32_t> index({4}), position_index({4});
  const auto call = [&](const gtr_tensor* first_, const gtr_tensor* second_, const gtr_tensor* index_,
                        const gtr_tensor* position_, const gtr_tensor* position_index_, const gtr_tensor* y_) {
    return gtr_embed(f.stream, first_, second_, index_, position_, position_index_, y_);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_embed(stream, &first, &second, &index, &position, &position_index, &y);
  });
  const auto with_first = [&](const gtr_tensor* t) { return call(t, nullptr, &index, nullptr, nullptr, &y); };
  refuse_null(kOperation, "first", with_first);
  refuse_bad_tensor(kOperation, "first", first.tensor, {}, with_first);
  refuse_bad_tensor(kOperation, "second", second.tensor, {1},
                    [&](const gtr_tensor* t) { return call(&first, t, &index, &position, &position_index, &y); });
  const auto with_index = [&](const gtr_tensor* t) { return call(&first, &second, t, nullptr, nullptr, &y); };
  refuse_null(kOperation, "index", with_index);
  refuse_bad_tensor(kOperation, "index", index.tensor, {}, with_index);
  const auto with_position = [&](const gtr_tensor* t) { return call(&first, &second, &index, t, &position_index, &y); };
  const auto with_position_index = [&](const gtr_tensor* t) { return call(&first, &second, &index, &position, t, &y); };
  refuse_bad_tensor(kOperation, "position", position.tensor, {1}, with_position);
  refuse_bad_tensor(kOperation, "position_index", position_index.tensor, {0}, with_position_index);
  refuse_null(kOperation, "position", with_position);
  refuse_null(kOperation, "position_index", with_position_index);
  refuse_bad_output(kOperation, "y", y.tensor, {0, 1}, {&first, &position},
                    [&](const gtr_tensor* t) { return call(&first, &second, &index, &position, &position_index, t); });

  const auto index_refused = [&](int32_t value, const gtr_tensor* second_, const char* text) {
    index.values[2] = value;
    EXPECT_REFUSED(call(&first, second_, &index, &position, &position_index, &y), kInvalid, kOperation, "index", text);
    index.values[2] = 0;
  };
  index_refused(5, &second, "index[2] is 5; allowed are -2 to 4");
  index_refused(-3, &second, "index[2] is -3; allowed are -2 to 4");
  index_refused(-1, nullptr, "index[2] is -1; allowed are 0 to 4");
  index_refused(INT32_MIN, &second, "index[2] is -2147483648");
  position_index.values[3] = 7;
  EXPECT_REFUSED(with_position(&position), kInvalid, kOperation, "position_index",
                 "position_index[3] is 7; allowed are 0 to 6 (rows of position)");
  position_index.values[3] = -1;
  EXPECT_REFUSED(with_position(&position), kInvalid, kOperation, "position_index", "position_index[3] is -1");
  position_index.values[3] = 0;
  expect_unchanged(y, 7.0f);

  index.values[0] = -2;
  EXPECT_OK(with_position(&position));
  EXPECT_OK(call(&first, &second, &index, nullptr, nullptr, &y));
  // All rows from `second`: `first` may be empty.
  for (int32_t& value : index.values) value = -1;
  const Array<float> none({0, 6});
  EXPECT_OK(call(&none, &second, &index, nullptr, nullptr, &y));
  EXPECT(y.values[0] == 0.0f);
}

void gather(const Fixture& f) {
  constexpr const char* kOperation = "gtr_gather";
  const Array<float> x({5, 6}), y({4, 6}, 7.0f);
  Array<int32_t> index({4});
  refuse_null_stream(kOperation, [&](gtr_stream* stream) { return gtr_gather(stream, &x, &index, &y); });
  const auto with_x = [&](const gtr_tensor* t) { return gtr_gather(f.stream, t, &index, &y); };
  const auto with_index = [&](const gtr_tensor* t) { return gtr_gather(f.stream, &x, t, &y); };
  const auto with_y = [&](const gtr_tensor* t) { return gtr_gather(f.stream, &x, &index, t); };
  refuse_null(kOperation, "x", with_x);
  refuse_bad_tensor(kOperation, "x", x.tensor, {}, with_x);
  refuse_null(kOperation, "index", with_index);
  refuse_bad_tensor(kOperation, "index", index.tensor, {}, with_index);
  refuse_bad_output(kOperation, "y", y.tensor, {0, 1}, {&x, &index}, with_y);
  const Array<uint16_t> half({4, 6});
  EXPECT_REFUSED(with_y(&half), kInvalid, kOperation, "y", "y.dtype is bf16; allowed is f32");
  for (const int32_t value : {-1, 5}) {
    index.values[1] = value;
    EXPECT_REFUSED(with_y(&y), kInvalid, kOperation, "index", "; allowed are 0 to 4 (rows of x)");
  }
  index.values[1] = 4;
  const Array<float> none({0, 6});
  EXPECT_REFUSED(with_x(&none), kInvalid, kOperation, "index", "index[0] is 0; allowed are none (rows of x)");
  expect_unchanged(y, 7.0f);
  EXPECT_OK(with_y(&y));
}

void scatter(const Fixture& f) {
  constexpr const char* kOperation = "gtr_scatter";
  const Array<float> x({4, 6}), y({5, 6}, 7.0f);
  Array<int32_t> index({4});
  refuse_null_stream(kOperation, [&](gtr_stream* stream) { return gtr_scatter(stream, &x, &index, &y); });
  const auto with_x = [&](const gtr_tensor* t) { return gtr_scatter(f.stream, t, &index, &y); };
  const auto with_index = [&](const gtr_tensor* t) { return gtr_scatter(f.stream, &x, t, &y); };
  const auto with_y = [&](const gtr_tensor* t) { return gtr_scatter(f.stream, &x, &index, t); };
  refuse_null(kOperation, "x", with_x);
  refuse_bad_tensor(kOperation, "x", x.tensor, {}, with_x);
  refuse_null(kOperation, "index", with_index);
  refuse_bad_tensor(kOperation, "index", index.tensor, {0}, with_index);
  refuse_bad_output(kOperation, "y", y.tensor, {1}, {&x, &index}, with_y);
  for (const int32_t value : {-1, 5}) {
    index.values[1] = value;
    EXPECT_REFUSED(with_y(&y), kInvalid, kOperation, "index", "; allowed are 0 to 4 (rows of y)");
  }
  index.values[1] = 1;
  expect_unchanged(y, 7.0f);
  EXPECT_OK(with_y(&y));
}

void noise(const Fixture& f) {
  constexpr const char* kOperation = "gtr_noise";
  const Array<uint64_t> seed({4});
  const Array<uint32_t> image({4}), cell({4}), draw({4});
  const Array<float> y({4, 6}, 7.0f);
  refuse_null_stream(kOperation,
                     [&](gtr_stream* stream) { return gtr_noise(stream, &seed, &image, &cell, &draw, &y); });
  const auto with_seed = [&](const gtr_tensor* t) { return gtr_noise(f.stream, t, &image, &cell, &draw, &y); };
  const auto with_image = [&](const gtr_tensor* t) { return gtr_noise(f.stream, &seed, t, &cell, &draw, &y); };
  const auto with_cell = [&](const gtr_tensor* t) { return gtr_noise(f.stream, &seed, &image, t, &draw, &y); };
  const auto with_draw = [&](const gtr_tensor* t) { return gtr_noise(f.stream, &seed, &image, &cell, t, &y); };
  refuse_null(kOperation, "seed", with_seed);
  refuse_bad_tensor(kOperation, "seed", seed.tensor, {}, with_seed);
  refuse_null(kOperation, "image", with_image);
  refuse_bad_tensor(kOperation, "image", image.tensor, {0}, with_image);
  refuse_null(kOperation, "cell", with_cell);
  refuse_bad_tensor(kOperation, "cell", cell.tensor, {0}, with_cell);
  refuse_null(kOperation, "draw", with_draw);
  refuse_bad_tensor(kOperation, "draw", draw.tensor, {0}, with_draw);
  refuse_bad_output(kOperation, "y", y.tensor, {0}, {&seed, &image, &cell, &draw},
                    [&](const gtr_tensor* t) { return gtr_noise(f.stream, &seed, &image, &cell, &draw, t); });
  expect_unchanged(y, 7.0f);
  gtr_tensor broadcast = draw.tensor;
  broadcast.stride[0] = 0;
  broadcast.size = 4;
  EXPECT_OK(with_draw(&broadcast));

  uint32_t words[4];
  EXPECT_REFUSED(gtr_philox(1, 2, 3, 4, 5, nullptr), kInvalid, "gtr_philox", "words", "words is null");
  // Known answer of the reference implementation (Random123, kat_vectors).
  EXPECT_OK(gtr_philox(0xffffffffffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, words));
  EXPECT(words[0] == 0x408f276d && words[1] == 0x41c83b0e && words[2] == 0xa20bc7c6 && words[3] == 0x6d5451fd);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    embed(f);
    gather(f);
    scatter(f);
    noise(f);
  }
  return result();
}
