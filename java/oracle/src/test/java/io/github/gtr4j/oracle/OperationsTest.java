package io.github.gtr4j.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.FrequencyEnergy;
import io.github.gtr4j.kernel.LayerNorm;
import io.github.gtr4j.kernel.Noise;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.kernel.Rows;
import io.github.gtr4j.kernel.Segments;
import io.github.gtr4j.kernel.TopFraction;
import java.nio.ByteBuffer;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation against libtorch's own function for it, on every tier that this machine has. */
class OperationsTest {
  private final Numbers numbers = new Numbers(20);
  private PointerScope scope;

  static List<CpuTier> tiers() {
    return Kernels.tiers();
  }

  @BeforeEach
  void enter() {
    scope = new PointerScope();
  }

  @AfterEach
  void leave() {
    scope.close();
  }

  private static org.bytedeco.pytorch.Tensor activate(
      Activation activation, org.bytedeco.pytorch.Tensor x) {
    switch (activation) {
      case GELU:
        return torch.gelu(x);
      case SILU:
        return torch.silu(x);
      default:
        return x;
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void linear(CpuTier tier) {
    try (Kernels kernels = new Kernels(tier)) {
      for (Precision precision : Precision.values()) {
        for (Activation activation : Activation.values()) {
          for (int[] size : new int[][] {{1, 16, 8}, {5, 67, 33}, {37, 192, 576}, {3, 300, 1}}) {
            int rows = size[0];
            int inputs = size[1];
            int outputs = size[2];
            float[] x = numbers.normal((long) rows * inputs, 1);
            float[] w = numbers.weights(outputs, inputs);
            float[] b = numbers.normal(outputs, 1);
            float[] r = numbers.normal((long) rows * outputs, 1);
            boolean bf16 = precision == Precision.BF16;
            org.bytedeco.pytorch.Tensor expected =
                activate(
                        activation,
                        Torch.linear(
                            bf16 ? Torch.rounded(x, rows, inputs) : Torch.of(x, rows, inputs),
                            bf16 ? Torch.rounded(w, outputs, inputs) : Torch.of(w, outputs, inputs),
                            Torch.of(b, outputs)))
                    .add(Torch.of(r, rows, outputs));
            Tensor actual =
                kernels.linear(
                    precision,
                    activation,
                    Numbers.tensor(x, rows, inputs),
                    w,
                    b,
                    Numbers.tensor(r, rows, outputs));
            Numbers.assertClose(expected, actual, 1e-5);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void layerNormWithModulation(CpuTier tier) {
    try (Kernels kernels = new Kernels(tier)) {
      for (int width : new int[] {3, 64, 768, 1280}) {
        int rows = 7;
        float[] x = numbers.normal((long) rows * width, 3);
        float[] w = numbers.normal(width, 1);
        float[] b = numbers.normal(width, 1);
        float[] scale = numbers.normal((long) rows * width, 1);
        float[] shift = numbers.normal((long) rows * width, 1);
        Tensor y = Numbers.poisoned(rows, width);
        LayerNorm.run(
            kernels.stream,
            Numbers.tensor(x, rows, width),
            Numbers.tensor(w, width),
            Numbers.tensor(b, width),
            Numbers.tensor(scale, rows, width),
            Numbers.tensor(shift, rows, width),
            1e-6,
            y);
        Numbers.assertClose(
            Torch.modulate(
                Torch.layerNorm(
                    Torch.of(x, rows, width), Torch.of(w, width), Torch.of(b, width), 1e-6),
                Torch.of(scale, rows, width),
                Torch.of(shift, rows, width)),
            y,
            1e-5);
        LayerNorm.run(
            kernels.stream, Numbers.tensor(x, rows, width), null, null, null, null, 1e-6, y);
        Numbers.assertClose(Torch.layerNorm(Torch.of(x, rows, width), null, null, 1e-6), y, 1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void attentionWithLengthsAndMask(CpuTier tier) {
    int batch = 2;
    int queries = 19;
    int keys = 45;
    int heads = 3;
    try (Kernels kernels = new Kernels(tier)) {
      for (int dim : new int[] {8, 64, 80, 128}) {
        float[] q = numbers.normal((long) batch * queries * heads * dim, 1);
        float[] k = numbers.normal((long) batch * keys * heads * dim, 1);
        float[] v = numbers.normal((long) batch * keys * heads * dim, 1);
        int[] lengths = {45, 13};
        ByteBuffer mask = ByteBuffer.allocateDirect(batch * queries * keys);
        float[] hidden = new float[batch * queries * keys];
        for (int i = 0; i < hidden.length; i++) {
          int key = i % keys;
          boolean seen = key == 0 || (i * 7 % 5 != 0);
          mask.put(i, (byte) (seen ? 1 : 0));
          boolean beyond = key >= lengths[i / (queries * keys)];
          hidden[i] = seen && !beyond ? 0 : 1;
        }
        Tensor shared =
            Tensor.wrap(mask, DType.U8, batch, 1, queries, keys)
                .broadcast(batch, heads, queries, keys);
        org.bytedeco.pytorch.Tensor expected =
            Torch.attention(
                Torch.of(q, batch, queries, heads, dim),
                Torch.of(k, batch, keys, heads, dim),
                Torch.of(v, batch, keys, heads, dim),
                Torch.of(hidden, batch, 1, queries, keys).to(torch.ScalarType.Bool));
        for (Precision precision : Precision.values()) {
          Tensor actual =
              kernels.attention(
                  precision,
                  Numbers.tensor(q, batch, queries, heads, dim),
                  Numbers.tensor(k, batch, keys, heads, dim),
                  Numbers.tensor(v, batch, keys, heads, dim),
                  Numbers.tensor(DType.I32, lengths),
                  shared);
          Numbers.assertClose(expected, actual, precision == Precision.F32 ? 1e-5 : 3e-2);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void frequencyEnergy(CpuTier tier) {
    try (Kernels kernels = new Kernels(tier)) {
      for (int dim : new int[] {2, 5, 97, 192, 768, 1024, 1280}) {
        int rows = 6;
        float[] z = numbers.normal((long) rows * dim, 1);
        int half = dim / 2;
        float[] weight = new float[half];
        for (int i = 1; i <= half; i++) {
          weight[i - 1] = 1 + (float) i / half;
        }
        org.bytedeco.pytorch.Tensor expected =
            torch
                .fft_rfft(Torch.of(z, rows, dim))
                .narrow(1, 1, half)
                .abs()
                .mul(Torch.of(weight, half))
                .sum(1);
        Tensor score = Numbers.poisoned(rows);
        FrequencyEnergy.run(
            kernels.stream,
            Numbers.tensor(z, rows, dim),
            score,
            kernels.scratch(FrequencyEnergy.scratchBytes(kernels.device, rows, dim)));
        Numbers.assertClose(expected, score, 1e-5);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void topFraction(CpuTier tier) {
    int rows = 50;
    int selected = 5;
    float[] score = numbers.normal(rows, 1);
    int[] cells = new int[rows];
    for (int i = 0; i < rows; i++) {
      cells[i] = i;
    }
    Tensor place = Numbers.tensor(DType.I32, new int[rows]);
    try (Kernels kernels = new Kernels(tier)) {
      Segments segments = new Segments(1);
      segments.add(0, rows, selected, 0, selected);
      TopFraction.run(
          kernels.stream,
          Numbers.tensor(score, rows),
          Numbers.tensor(DType.U32, cells),
          segments,
          place,
          kernels.scratch(TopFraction.scratchBytes(kernels.device, rows)));
    }
    double[] expected =
        Torch.values(torch.sort(torch.topk(Torch.of(score, rows), selected).get1()).get0());
    int[] actual = new int[rows];
    place.asByteBuffer().asIntBuffer().get(actual);
    for (int i = 0; i < selected; i++) {
      assertEquals(expected[i], actual[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void embedGatherScatter(CpuTier tier) {
    int width = 35;
    float[] first = numbers.normal(9L * width, 1);
    float[] second = numbers.normal(2L * width, 1);
    float[] position = numbers.normal(12L * width, 1);
    int[] index = {8, -1, 0, 3, -2, 3};
    int[] at = {11, 0, 5, 5, 1, 2};
    int[] joined = {8, 9, 0, 3, 10, 3}; // the second table follows the first
    int[] distinct = {4, 0, 8, 2, 7, 5};
    int rows = index.length;
    try (Kernels kernels = new Kernels(tier)) {
      Tensor y = Numbers.poisoned(rows, width);
      Rows.embed(
          kernels.stream,
          Numbers.tensor(first, 9, width),
          Numbers.tensor(second, 2, width),
          Numbers.tensor(DType.I32, index),
          Numbers.tensor(position, 12, width),
          Numbers.tensor(DType.I32, at),
          y);
      org.bytedeco.pytorch.Tensor tables =
          torch.cat(
              new org.bytedeco.pytorch.TensorVector(
                  Torch.of(first, 9, width), Torch.of(second, 2, width)));
      Numbers.assertClose(
          torch
              .index_select(tables, 0, Torch.indices(joined))
              .add(torch.index_select(Torch.of(position, 12, width), 0, Torch.indices(at))),
          y,
          1e-6);
      Rows.gather(
          kernels.stream, Numbers.tensor(first, 9, width), Numbers.tensor(DType.I32, distinct), y);
      org.bytedeco.pytorch.Tensor gathered =
          torch.index_select(Torch.of(first, 9, width), 0, Torch.indices(distinct));
      Numbers.assertClose(gathered, y, 0);
      Tensor target = Numbers.tensor(first, 9, width);
      float[] rowsToScatter = numbers.normal((long) rows * width, 1);
      Rows.scatter(
          kernels.stream,
          Numbers.tensor(rowsToScatter, rows, width),
          Numbers.tensor(DType.I32, distinct),
          target);
      Numbers.assertClose(
          torch.index_copy(
              Torch.of(first, 9, width),
              0,
              Torch.indices(distinct),
              Torch.of(rowsToScatter, rows, width)),
          target,
          0);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void noiseIsBoxMullerOfPhilox(CpuTier tier) {
    int rows = 64;
    int[] image = new int[rows];
    int[][] words = new int[rows][];
    for (int r = 0; r < rows; r++) {
      image[r] = r;
      words[r] = Noise.philox(77, 0, 3, 5, r);
    }
    Tensor y = Numbers.poisoned(rows, 4);
    try (Kernels kernels = new Kernels(tier)) {
      ByteBuffer seed =
          ByteBuffer.allocateDirect(8).order(java.nio.ByteOrder.nativeOrder()).putLong(0, 77);
      Noise.fill(
          kernels.stream,
          Tensor.wrap(seed, DType.U64, 1).broadcast(rows),
          Numbers.tensor(DType.U32, image),
          Numbers.tensor(DType.U32, 5).broadcast(rows),
          Numbers.tensor(DType.U32, 3).broadcast(rows),
          y);
    }
    org.bytedeco.pytorch.Tensor[] uniform = new org.bytedeco.pytorch.Tensor[4];
    for (int w = 0; w < 4; w++) {
      // Words do not fit into float: split them.
      float[] high = new float[rows];
      float[] low = new float[rows];
      for (int r = 0; r < rows; r++) {
        high[r] = words[r][w] >>> 16;
        low[r] = words[r][w] & 0xFFFF;
      }
      uniform[w] =
          Torch.of(high, rows)
              .mul(new Scalar(65536.0))
              .add(Torch.of(low, rows))
              .add(new Scalar(0.5))
              .mul(new Scalar(Math.pow(2, -32)));
    }
    org.bytedeco.pytorch.TensorVector columns = new org.bytedeco.pytorch.TensorVector();
    for (int pair = 0; pair < 2; pair++) {
      org.bytedeco.pytorch.Tensor radius =
          torch.sqrt(torch.log(uniform[2 * pair]).mul(new Scalar(-2.0)));
      org.bytedeco.pytorch.Tensor angle = uniform[2 * pair + 1].mul(new Scalar(2 * Math.PI));
      columns.push_back(radius.mul(torch.cos(angle)).unsqueeze(1));
      columns.push_back(radius.mul(torch.sin(angle)).unsqueeze(1));
    }
    double[] expected = Torch.values(torch.cat(columns, 1));
    float[] rounded = new float[expected.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) expected[i];
    }
    assertArrayEquals(rounded, Numbers.values(y), 1e-6f);
  }
}
