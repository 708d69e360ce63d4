// Overlap of views, against the sets of bytes that they really touch.
#include "tensor_view.h"

#include <random>
#include <set>
#include <vector>

#include "expect.h"

namespace gtr::test {
namespace {

// Addresses only: nothing here is dereferenced.
char* const kBase = reinterpret_cast<char*>(uintptr_t{1} << 20);

gtr_tensor view(int64_t offset, int32_t dtype, std::vector<int64_t> shape, std::vector<int64_t> stride) {
  gtr_tensor tensor = {};
  tensor.data = kBase + offset;
  tensor.size = INT64_MAX / 2;
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    tensor.shape[d] = shape[d];
    tensor.stride[d] = stride[d];
  }
  return tensor;
}

// Start of every element, with repetitions.
std::vector<uintptr_t> elements(const gtr_tensor& tensor) {
  std::vector<uintptr_t> result{reinterpret_cast<uintptr_t>(tensor.data)};
  for (int32_t d = 0; d < tensor.rank; ++d) {
    std::vector<uintptr_t> next;
    for (const uintptr_t base : result) {
      for (int64_t i = 0; i < tensor.shape[d]; ++i) {
        next.push_back(base + static_cast<uintptr_t>(i * tensor.stride[d] * element_size(tensor.dtype)));
      }
    }
    result = next;
  }
  return result;
}

std::set<uintptr_t> bytes(const gtr_tensor& tensor) {
  std::set<uintptr_t> result;
  for (const uintptr_t element : elements(tensor)) {
    for (int64_t i = 0; i < element_size(tensor.dtype); ++i) result.insert(element + static_cast<uintptr_t>(i));
  }
  return result;
}

// Random small views: the answer may err to the safe side only.
void never_unsafe() {
  std::mt19937 random(20261124);
  const auto pick = [&](int64_t lowest, int64_t highest) {
    return std::uniform_int_distribution<int64_t>(lowest, highest)(random);
  };
  const int32_t dtypes[] = {GTR_F32, GTR_BF16, GTR_U8, GTR_U64};
  int distinct = 0, apart = 0;
  for (int round = 0; round < 20000; ++round) {
    gtr_tensor views[2];
    for (gtr_tensor& tensor : views) {
      const int32_t dtype = dtypes[pick(0, 3)];
      std::vector<int64_t> shape, stride;
      for (int64_t d = pick(1, 4); d > 0; --d) {
        shape.push_back(pick(0, 4));
        stride.push_back(pick(0, 12));
      }
      tensor = view(pick(0, 30) * element_size(dtype), dtype, shape, stride);
    }
    if (is_empty(views[0]) || is_empty(views[1])) {
      if (may_overlap(views[0], views[1])) EXPECT(!"an empty tensor overlaps nothing");
      continue;
    }
    const std::set<uintptr_t> a = bytes(views[0]), b = bytes(views[1]);
    if (elements_distinct(views[0])) {
      ++distinct;
      if (a.size() != elements(views[0]).size() * static_cast<size_t>(element_size(views[0].dtype))) {
        EXPECT(!"elements taken for distinct share an address");
      }
    }
    if (byte_extent(views[0]) != static_cast<int64_t>(*a.rbegin() - *a.begin() + 1)) EXPECT(!"extent is wrong");
    bool share = false;
    for (const uintptr_t byte : a) share = share || b.count(byte) != 0;
    if (!may_overlap(views[0], views[1])) {
      ++apart;
      if (share) EXPECT(!"views taken for apart share a byte");
    }
    if (may_overlap(views[0], views[1]) != may_overlap(views[1], views[0])) EXPECT(!"overlap depends on the order");
    const bool touches = may_overlap(views[0], views[1].data, element_size(views[1].dtype));
    if (!touches && a.count(reinterpret_cast<uintptr_t>(views[1].data)) != 0) EXPECT(!"a range shares a byte");
  }
  // Both answers were met often enough to mean something.
  EXPECT(distinct > 1000);
  EXPECT(apart > 1000);
}

// What callers really pass must not be refused.
void exact_where_it_matters() {
  EXPECT(elements_distinct(view(0, GTR_F32, {5, 7}, {7, 1})));
  EXPECT(elements_distinct(view(0, GTR_F32, {5, 7}, {9, 1})));
  EXPECT(elements_distinct(view(0, GTR_F32, {5, 7}, {1, 5})));                // transposed
  EXPECT(elements_distinct(view(0, GTR_F32, {2, 3, 4, 8}, {96, 8, 24, 1})));  // dimensions swapped
  EXPECT(elements_distinct(view(0, GTR_F32, {1, 7}, {0, 1})));
  EXPECT(!elements_distinct(view(0, GTR_F32, {2, 7}, {0, 1})));
  EXPECT(!elements_distinct(view(0, GTR_F32, {2, 7}, {6, 1})));
  EXPECT(!elements_distinct(view(0, GTR_F32, {3, 3}, {1, 1})));

  // q, k and v in one matrix [rows, 3, heads, dim].
  const auto part = [](int64_t which) { return view(which * 2 * 8 * 4, GTR_F32, {2, 5, 2, 8}, {5 * 48, 48, 8, 1}); };
  EXPECT(!may_overlap(part(0), part(1)));
  EXPECT(!may_overlap(part(2), part(0)));
  EXPECT(may_overlap(part(1), part(1)));
  // Column ranges of one matrix, also of different dtypes.
  EXPECT(!may_overlap(view(0, GTR_F32, {4, 3}, {8, 1}), view(12, GTR_F32, {4, 5}, {8, 1})));
  EXPECT(may_overlap(view(0, GTR_F32, {4, 4}, {8, 1}), view(12, GTR_F32, {4, 5}, {8, 1})));
  EXPECT(!may_overlap(view(0, GTR_F32, {4, 3}, {8, 1}), view(12, GTR_BF16, {4, 10}, {16, 1})));
  EXPECT(!may_overlap(view(0, GTR_F32, {4, 8}, {8, 1}), view(128, GTR_F32, {4, 8}, {8, 1})));  // one after the other
}

void overflow_is_seen() {
  EXPECT(byte_extent(view(0, GTR_F32, {3, 4}, {INT64_MAX / 2, 1})) == -1);
  EXPECT(byte_extent(view(0, GTR_F32, {INT64_MAX, INT64_MAX}, {INT64_MAX, 1})) == -1);
  EXPECT(byte_extent(view(0, GTR_U64, {INT64_MAX / 8 + 2}, {1})) == -1);
  EXPECT(byte_extent(view(0, GTR_U8, {INT64_MAX}, {1})) == INT64_MAX);
  EXPECT(byte_extent(view(0, GTR_U8, {INT64_MAX, 2}, {1, 1})) == -1);
  EXPECT(byte_extent(view(0, GTR_F32, {INT64_MAX, 4}, {0, 1})) == 16);
}

void sameness() {
  const gtr_tensor a = view(0, GTR_F32, {5, 7}, {7, 1});
  EXPECT(same_tensor(a, view(0, GTR_F32, {5, 7}, {7, 1})));
  EXPECT(!same_tensor(a, view(4, GTR_F32, {5, 7}, {7, 1})));
  EXPECT(!same_tensor(a, view(0, GTR_I32, {5, 7}, {7, 1})));
  EXPECT(!same_tensor(a, view(0, GTR_F32, {5, 7}, {8, 1})));
  EXPECT(!same_tensor(a, view(0, GTR_F32, {5, 6}, {7, 1})));
  EXPECT(same_tensor(view(0, GTR_F32, {1, 7}, {7, 1}), view(0, GTR_F32, {1, 7}, {9, 1})));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  never_unsafe();
  exact_where_it_matters();
  overflow_is_seen();
  sameness();
  return result();
}
