// The frequency energy of a group of rows, one in each lane. Included by a tier's frequency_energy.cpp after its Vec
// and fft_lanes.inl, and after it has defined
//   Sum, kLanes doubles that start as 0; add_magnitude(sum, re, im, weight), which adds weight |re + i im| in double;
//   store(sum, out), which rounds to floats.
// No include guard, and nothing from std: see cmake/GtrCpuTiers.cmake.

// Rows become lanes; lanes without a row are 0.
void load_rows(const FrequencyPlan& plan, const float* z, int64_t z_stride, int64_t rows, float* x) {
  const bool even = plan.dim % 2 == 0;
  const int64_t spacing = even ? kLanes : 2 * kLanes;
  int64_t i = 0;
  for (; i + kLanes <= plan.dim; i += kLanes) {
    Vec square[kLanes];
    for (int64_t r = 0; r < kLanes; ++r) square[r] = r < rows ? load(z + r * z_stride + i) : broadcast(0.0f);
    transpose(square);
    for (int64_t c = 0; c < kLanes; ++c) store(x + (i + c) * spacing, square[c]);
  }
  for (; i < plan.dim; ++i) {
    for (int64_t r = 0; r < kLanes; ++r) x[i * spacing + r] = r < rows ? z[r * z_stride + i] : 0.0f;
  }
  if (!even) {
    for (i = 0; i < plan.length; ++i) store(x + i * spacing + kLanes, broadcast(0.0f));
  }
}

// Bluestein: with jk = (j^2 + k^2 - (k - j)^2) / 2 the transform of any length is a convolution with a chirp, which
// transforms of a longer, smooth length do.
Complex* transform_by_convolution(const FrequencyPlan& plan, Complex* x, Complex* other) {
  for (int64_t j = 0; j < plan.length; ++j) x[j] = times(x[j], plan.chirp + 2 * j);
  for (int64_t j = plan.length; j < plan.fft.length; ++j) x[j] = Complex{};
  Complex* spectrum = transform(plan.fft, x, other);
  for (int64_t j = 0; j < plan.fft.length; ++j) {
    // Conjugates before and after turn the forward transform into the inverse one.
    const Complex product = times(spectrum[j], plan.chirp_spectrum + 2 * j);
    spectrum[j] = {product.re, -product.im};
  }
  Complex* const result = transform(plan.fft, spectrum, spectrum == x ? other : x);
  for (int64_t j = 0; j < plan.length; ++j) {
    result[j] = times(Complex{result[j].re, -result[j].im}, plan.chirp + 2 * j);
  }
  return result;
}

void score_group(const FrequencyPlan& plan, const float* z, int64_t z_stride, int64_t rows, float* score,
                 int64_t score_stride, void* buffers) {
  Complex* const x = static_cast<Complex*>(buffers);
  Complex* const other = x + plan.fft.length;
  load_rows(plan, z, z_stride, rows, static_cast<float*>(buffers));
  const Complex* const spectrum =
      plan.chirp == nullptr ? transform(plan.fft, x, other) : transform_by_convolution(plan, x, other);

  const int64_t half = plan.dim / 2;
  const double per_bin = 1.0 / static_cast<double>(half);
  Sum sum{};
  if (plan.dim % 2 != 0) {
    for (int64_t k = 1; k <= half; ++k) {
      add_magnitude(sum, spectrum[k].re, spectrum[k].im, 1.0 + static_cast<double>(k) * per_bin);
    }
  } else {
    const Float zero{};
    add_magnitude(sum, spectrum[0].re - spectrum[0].im, zero, 2.0);
    // Bins k and half - k come from the same two elements of the half-length spectrum.
    for (int64_t k = 1; 2 * k <= half; ++k) {
      const Complex a = spectrum[k];
      const Complex b = {spectrum[half - k].re, -spectrum[half - k].im};
      const Complex evens = a + b;
      const Complex odds = times(quarter_turn(a - b), plan.real.values + 2 * k);
      const Complex low = evens + odds;
      // Both sums are twice the bin; the weight makes up for it.
      add_magnitude(sum, low.re, low.im, 0.5 + 0.5 * static_cast<double>(k) * per_bin);
      if (2 * k < half) {
        const Complex high = evens - odds;
        add_magnitude(sum, high.re, high.im, 0.5 + 0.5 * static_cast<double>(half - k) * per_bin);
      }
    }
  }
  float results[kLanes];
  store(sum, results);
  for (int64_t r = 0; r < rows; ++r) score[r * score_stride] = results[r];
}

void transform_row(const FftPlan& fft, float* row, void* buffers) {
  Complex* const x = static_cast<Complex*>(buffers);
  for (int64_t j = 0; j < fft.length; ++j) x[j] = {broadcast(row + 2 * j), broadcast(row + 2 * j + 1)};
  const Complex* const result = transform(fft, x, x + fft.length);
  for (int64_t j = 0; j < fft.length; ++j) {
    row[2 * j] = result[j].re[0];
    row[2 * j + 1] = result[j].im[0];
  }
}
