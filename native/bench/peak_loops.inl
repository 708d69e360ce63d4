// The loops of PeakLoops over a tier's vector. Included by a tier's peak.cpp inside its namespace and an anonymous one,
// after it has defined Vector, kLanes, kSums (registers that hold sums: enough to hide the latency of an addition),
// load, splat, multiply_add(a, b, sum), add, and hide, which keeps values from the optimiser. Nothing from std: see
// cmake/GtrCpuTiers.cmake.

float reduce(const Vector (&sums)[kSums]) {
  float total = 0;
  for (int i = 0; i < kSums; ++i) {
    float lanes[kLanes];
    __builtin_memcpy(lanes, &sums[i], sizeof lanes);
    for (int lane = 0; lane < kLanes; ++lane) {
      total += lanes[lane];
    }
  }
  return total;
}

float multiply_loop(int64_t rounds) {
  Vector sums[kSums];
  for (int i = 0; i < kSums; ++i) {
    sums[i] = splat(static_cast<float>(i));
  }
  Vector a = splat(0.75f);
  Vector b = splat(0x1p-20f);
  for (int64_t round = 0; round < rounds; ++round) {
    hide(a, b);  // so that no product is known to be the one of the round before
#pragma GCC unroll 32
    for (int i = 0; i < kSums; ++i) {
      sums[i] = multiply_add(a, b, sums[i]);
    }
  }
  return reduce(sums);
}

float read_loop(const float* data, int64_t floats) {
  Vector sums[kSums];
  for (int i = 0; i < kSums; ++i) {
    sums[i] = splat(0.0f);
  }
  // Four streams: one alone does not keep the memory busy.
  constexpr int64_t kStreams = 4;
  constexpr int64_t kAtOnce = 2;
  const int64_t length = floats / kStreams;
  for (int64_t at = 0; at < length; at += kAtOnce * kLanes) {
#pragma GCC unroll 8
    for (int i = 0; i < kStreams * kAtOnce; ++i) {
      sums[i] = add(sums[i], load(data + i / kAtOnce * length + at + i % kAtOnce * kLanes));
    }
  }
  return reduce(sums);
}
