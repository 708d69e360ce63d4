package io.github.gtr4j.oracle;

import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Attention;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Precision;
import java.util.Arrays;
import java.util.List;

/** Our kernels with their scratch taken care of. */
final class Kernels implements AutoCloseable {
  final Device device;
  final Stream stream;
  private DeviceBuffer scratch;

  Kernels(CpuTier tier) {
    device = Device.open(DeviceOptions.cpu().withTier(tier));
    stream = device.newStream();
    scratch = device.allocate(64);
  }

  /** The tiers that this machine has. */
  static List<CpuTier> tiers() {
    return Arrays.stream(CpuTier.values())
        .filter(t -> t != CpuTier.AUTO && t.isAvailable())
        .toList();
  }

  /** Scratch of at least that many bytes. */
  Tensor scratch(long bytes) {
    if (bytes > scratch.size()) {
      scratch.close();
      scratch = device.allocate(bytes);
    }
    return scratch.tensor(DType.U8, scratch.size());
  }

  /** residual + activation(x Wᵀ + b); residual may be null. */
  Tensor linear(
      Precision precision,
      Activation activation,
      Tensor x,
      float[] weight,
      float[] bias,
      Tensor residual) {
    long outputs = bias.length;
    long inputs = x.shape(1);
    Tensor y = Numbers.poisoned(x.shape(0), outputs);
    try (Linear linear = Linear.create(device, outputs, inputs, precision)) {
      linear.set(0, Numbers.tensor(weight, outputs, inputs), Numbers.tensor(bias, outputs));
      linear.run(
          stream, activation, x, null, residual, y, scratch(linear.scratchBytes(x.shape(0))));
    }
    return y;
  }

  /** Attention of [B, L, H, D] without lengths and mask. */
  Tensor attention(Precision precision, Tensor q, Tensor k, Tensor v) {
    return attention(precision, q, k, v, null, null);
  }

  Tensor attention(
      Precision precision, Tensor q, Tensor k, Tensor v, Tensor keyLengths, Tensor mask) {
    Tensor out = Numbers.poisoned(q.shape());
    long bytes =
        Attention.scratchBytes(
            device, precision, q.shape(0), q.shape(1), k.shape(1), q.shape(2), q.shape(3));
    Attention.run(
        stream,
        precision,
        1 / Math.sqrt(q.shape(3)),
        q,
        k,
        v,
        null,
        keyLengths,
        mask,
        out,
        scratch(bytes));
    return out;
  }

  @Override
  public void close() {
    scratch.close();
    stream.close();
    device.close();
  }
}
