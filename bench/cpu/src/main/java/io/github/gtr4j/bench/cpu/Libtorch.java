package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** libtorch in inference mode on the thread that made this, until it is closed. */
final class Libtorch implements AutoCloseable {
  static final TensorOptional NONE = new TensorOptional();

  private final InferenceMode guard;

  Libtorch(int threads) {
    torch.set_num_threads(threads);
    // Its products in float go to OpenBLAS, which has threads of its own.
    openblas_nolapack.blas_set_num_threads(threads);
    guard = new InferenceMode(true);
  }

  /** Of the preset and of the oneDNN in it. */
  static String version() {
    try (BytePointer onednn = torch.get_mkldnn_version()) {
      String build =
          onednn.getString().lines().filter(line -> line.contains("DNN")).findFirst().orElse("");
      String preset = Tensor.class.getPackage().getImplementationVersion();
      return "libtorch of JavaCPP's preset "
          + preset
          + (build.isBlank() ? "" : " with " + build.strip());
    }
  }

  static ScalarType type(Precision precision) {
    return precision == Precision.BF16 ? ScalarType.BFloat16 : ScalarType.Float;
  }

  /** Numbers in memory of libtorch's own. */
  static Tensor tensor(float[] values, ScalarType type, long... shape) {
    try (FloatPointer pointer = new FloatPointer(values);
        Tensor view = torch.from_blob(pointer, shape);
        Tensor converted = view.to(type)) {
      return converted.clone();
    }
  }

  /** Indices. */
  static Tensor indices(int[] values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    try (LongPointer pointer = new LongPointer(wide);
        TensorOptions options = new TensorOptions(ScalarType.Long);
        Tensor view = torch.from_blob(pointer, new long[] {values.length}, options)) {
      return view.clone();
    }
  }

  static float[] values(Tensor tensor) {
    try (Tensor floats = tensor.to(ScalarType.Float);
        Tensor dense = floats.contiguous()) {
      float[] values = new float[Math.toIntExact(dense.numel())];
      try (FloatPointer pointer = new FloatPointer(dense.data_ptr())) {
        pointer.get(values);
      }
      return values;
    }
  }

  @Override
  public void close() {
    guard.close();
  }
}
