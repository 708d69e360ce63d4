package io.github.gtr4j.oracle;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.DiffusionHead;
import io.github.gtr4j.kernel.HeadShape;
import io.github.gtr4j.kernel.LayerNorm;
import io.github.gtr4j.kernel.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One transformer block and one residual block of the head, each at the sizes of MAR-B, L and H.
 */
class BlocksTest {
  /** 256 tokens and a buffer of 64. */
  private static final int TOKENS = 320;

  private static final int CHANNELS = 16;
  private static final double EPSILON = 1e-6;

  @ParameterizedTest(name = "{0}, {3}")
  @CsvSource({
    "MAR-B, 768, 12, F32, 1e-5", "MAR-B, 768, 12, BF16, 3e-2",
    "MAR-L, 1024, 16, F32, 1e-5", "MAR-L, 1024, 16, BF16, 3e-2",
    "MAR-H, 1280, 16, F32, 1e-5", "MAR-H, 1280, 16, BF16, 3e-2"
  })
  void transformerBlock(String size, int width, int heads, Precision precision, double tolerance) {
    Numbers numbers = new Numbers(width);
    float[] x = numbers.normal((long) TOKENS * width, 1);
    float[] norm1w = numbers.normal(width, 1);
    float[] norm1b = numbers.normal(width, 0.5);
    float[] qkvW = numbers.weights(3L * width, width);
    float[] qkvB = numbers.normal(3L * width, 0.5);
    float[] projW = numbers.weights(width, width);
    float[] projB = numbers.normal(width, 0.5);
    float[] norm2w = numbers.normal(width, 1);
    float[] norm2b = numbers.normal(width, 0.5);
    float[] fc1w = numbers.weights(4L * width, width);
    float[] fc1b = numbers.normal(4L * width, 0.5);
    float[] fc2w = numbers.weights(width, 4L * width);
    float[] fc2b = numbers.normal(width, 0.5);
    int dim = width / heads;

    Tensor actual;
    try (Kernels kernels = new Kernels(CpuTier.AUTO)) {
      Tensor residual = Numbers.tensor(x, TOKENS, width);
      Tensor n = Numbers.poisoned(TOKENS, width);
      LayerNorm.run(
          kernels.stream,
          residual,
          Numbers.tensor(norm1w, width),
          Numbers.tensor(norm1b, width),
          null,
          null,
          EPSILON,
          n);
      Tensor qkv =
          kernels
              .linear(precision, Activation.NONE, n, qkvW, qkvB, null)
              .reshape(TOKENS, 3, heads, dim);
      Tensor attended =
          kernels
              .attention(precision, part(qkv, 0), part(qkv, 1), part(qkv, 2))
              .reshape(TOKENS, width);
      residual = kernels.linear(precision, Activation.NONE, attended, projW, projB, residual);
      LayerNorm.run(
          kernels.stream,
          residual,
          Numbers.tensor(norm2w, width),
          Numbers.tensor(norm2b, width),
          null,
          null,
          EPSILON,
          n);
      Tensor hidden = kernels.linear(precision, Activation.GELU, n, fc1w, fc1b, null);
      actual = kernels.linear(precision, Activation.NONE, hidden, fc2w, fc2b, residual);
    }

    try (PointerScope scope = new PointerScope()) {
      org.bytedeco.pytorch.Tensor r = Torch.of(x, TOKENS, width);
      org.bytedeco.pytorch.Tensor qkv =
          Torch.linear(
                  Torch.layerNorm(r, Torch.of(norm1w, width), Torch.of(norm1b, width), EPSILON),
                  Torch.of(qkvW, 3L * width, width),
                  Torch.of(qkvB, 3L * width))
              .reshape(1, TOKENS, 3, heads, dim);
      org.bytedeco.pytorch.Tensor attended =
          Torch.attention(qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2), null)
              .reshape(TOKENS, width);
      r = r.add(Torch.linear(attended, Torch.of(projW, width, width), Torch.of(projB, width)));
      org.bytedeco.pytorch.Tensor hidden =
          torch.gelu(
              Torch.linear(
                  Torch.layerNorm(r, Torch.of(norm2w, width), Torch.of(norm2b, width), EPSILON),
                  Torch.of(fc1w, 4L * width, width),
                  Torch.of(fc1b, 4L * width)));
      r = r.add(Torch.linear(hidden, Torch.of(fc2w, width, 4L * width), Torch.of(fc2b, width)));
      Numbers.assertClose(r, actual, tolerance);
    }
  }

  /** q, k or v as a view of [L, 3, H, D]: [1, L, H, D]. */
  private static Tensor part(Tensor qkv, int which) {
    Tensor slice = qkv.slice(1, which, 1);
    long[] strides = {0, slice.stride(0), slice.stride(2), 1};
    return slice.withLayout(
        new long[] {1, slice.shape(0), slice.shape(2), slice.shape(3)}, strides);
  }

  @ParameterizedTest(name = "{0}, {3}")
  @CsvSource({
    "MAR-B, 768, 1024, F32, 1e-5", "MAR-B, 768, 1024, BF16, 3e-2",
    "MAR-L, 1024, 1280, F32, 1e-5", "MAR-L, 1024, 1280, BF16, 3e-2",
    "MAR-H, 1280, 1536, F32, 1e-5", "MAR-H, 1280, 1536, BF16, 3e-2"
  })
  void headWithOneBlock(
      String size, int condition, int width, Precision precision, double tolerance) {
    int rows = 9;
    Numbers numbers = new Numbers(width);
    Map<String, float[]> tensors = new HashMap<>();
    List<Object[]> layers = new ArrayList<>();
    layers.add(new Object[] {"time_embed.mlp.0", width, 256});
    layers.add(new Object[] {"time_embed.mlp.2", width, width});
    layers.add(new Object[] {"cond_embed", width, condition});
    layers.add(new Object[] {"input_proj", width, CHANNELS});
    layers.add(new Object[] {"res_blocks.0.mlp.0", width, width});
    layers.add(new Object[] {"res_blocks.0.mlp.2", width, width});
    layers.add(new Object[] {"res_blocks.0.adaLN_modulation.1", 3 * width, width});
    layers.add(new Object[] {"final_layer.adaLN_modulation.1", 2 * width, width});
    layers.add(new Object[] {"final_layer.linear", 2 * CHANNELS, width});
    float[] x = numbers.normal((long) rows * CHANNELS, 1);
    float[] z = numbers.normal((long) rows * condition, 1);
    int[] steps = {0, 1, 17, 123, 500, 501, 777, 998, 999};
    Tensor out = Numbers.poisoned(rows, 2L * CHANNELS);
    try (Kernels kernels = new Kernels(CpuTier.AUTO);
        DiffusionHead head =
            DiffusionHead.create(
                kernels.device, new HeadShape(CHANNELS, condition, width, 1), precision)) {
      for (Object[] layer : layers) {
        String name = (String) layer[0];
        int outputs = (Integer) layer[1];
        int inputs = (Integer) layer[2];
        tensors.put(name + ".weight", numbers.weights(outputs, inputs));
        tensors.put(name + ".bias", numbers.normal(outputs, 0.5));
        head.set(
            name + ".weight", 0, Numbers.tensor(tensors.get(name + ".weight"), outputs, inputs));
        head.set(name + ".bias", 0, Numbers.tensor(tensors.get(name + ".bias"), outputs));
      }
      for (String name : List.of("res_blocks.0.in_ln.weight", "res_blocks.0.in_ln.bias")) {
        tensors.put(name, numbers.normal(width, 1));
        head.set(name, 0, Numbers.tensor(tensors.get(name), width));
      }
      head.forward(
          kernels.stream,
          Numbers.tensor(x, rows, CHANNELS),
          Numbers.tensor(DType.I32, steps),
          Numbers.tensor(z, rows, condition),
          out,
          kernels.scratch(head.forwardScratchBytes(rows)));
    }
    try (PointerScope scope = new PointerScope()) {
      Layers l = new Layers(tensors);
      org.bytedeco.pytorch.Tensor t =
          l.apply("time_embed.mlp.2", torch.silu(l.apply("time_embed.mlp.0", timeFeatures(steps))));
      org.bytedeco.pytorch.Tensor y =
          torch.silu(t.add(l.apply("cond_embed", Torch.of(z, rows, condition))));
      org.bytedeco.pytorch.Tensor h = l.apply("input_proj", Torch.of(x, rows, CHANNELS));
      org.bytedeco.pytorch.Tensor m = l.apply("res_blocks.0.adaLN_modulation.1", y);
      org.bytedeco.pytorch.Tensor n =
          Torch.modulate(
              Torch.layerNorm(
                  h,
                  Torch.of(tensors.get("res_blocks.0.in_ln.weight"), width),
                  Torch.of(tensors.get("res_blocks.0.in_ln.bias"), width),
                  EPSILON),
              m.narrow(1, width, width),
              m.narrow(1, 0, width));
      org.bytedeco.pytorch.Tensor mlp =
          l.apply("res_blocks.0.mlp.2", torch.silu(l.apply("res_blocks.0.mlp.0", n)));
      h = h.add(m.narrow(1, 2L * width, width).mul(mlp));
      org.bytedeco.pytorch.Tensor f = l.apply("final_layer.adaLN_modulation.1", y);
      org.bytedeco.pytorch.Tensor last =
          Torch.modulate(
              Torch.layerNorm(h, null, null, EPSILON),
              f.narrow(1, width, width),
              f.narrow(1, 0, width));
      Numbers.assertClose(l.apply("final_layer.linear", last), out, tolerance);
    }
  }

  /**
   * cos, then sin of t · f, with frequencies and angles in float as the numerics chapter fixes
   * them.
   */
  private static org.bytedeco.pytorch.Tensor timeFeatures(int[] steps) {
    float[] features = new float[steps.length * 256];
    for (int r = 0; r < steps.length; r++) {
      for (int k = 0; k < 128; k++) {
        float angle = steps[r] * (float) Math.exp(-Math.log(10000) * k / 128);
        features[256 * r + k] = (float) Math.cos(angle);
        features[256 * r + 128 + k] = (float) Math.sin(angle);
      }
    }
    return Torch.of(features, steps.length, 256);
  }

  /** Linear layers by name. */
  private record Layers(Map<String, float[]> tensors) {
    org.bytedeco.pytorch.Tensor apply(String name, org.bytedeco.pytorch.Tensor x) {
      float[] weight = tensors.get(name + ".weight");
      float[] bias = tensors.get(name + ".bias");
      return Torch.linear(
          x,
          Torch.of(weight, bias.length, weight.length / bias.length),
          Torch.of(bias, bias.length));
    }
  }
}
