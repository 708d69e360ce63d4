package io.github.gtr4j.model;

import io.github.gtr4j.checkpoint.CheckpointException;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.checkpoint.TensorInfo;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import java.util.HashMap;
import java.util.Map;

/** The weights of a safetensors file, read window by window. */
final class CheckpointWeights implements WeightSource {
  private final SafetensorsFile file;
  private final MarConfiguration configuration;

  /**
   * Reads the sizes and checks names, shapes and types of all tensors.
   *
   * @throws CheckpointException if the file does not hold exactly a MAR model
   */
  CheckpointWeights(SafetensorsFile file) {
    this.file = file;
    Map<String, long[]> shapes = new HashMap<>();
    file.tensors().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    try {
      configuration = MarCheckpoint.configuration(shapes, file.metadata());
      file.tensors().values().forEach(CheckpointWeights::dtype);
    } catch (CheckpointException e) {
      throw e.inFile(file.name());
    }
  }

  MarConfiguration configuration() {
    return configuration;
  }

  private static DType dtype(TensorInfo tensor) {
    return switch (tensor.type()) {
      case F32 -> DType.F32;
      case F16 -> DType.F16;
      case BF16 -> DType.BF16;
      default ->
          throw new CheckpointException(
              tensor.name(),
              "tensor '"
                  + tensor.name()
                  + "' has elements of type "
                  + tensor.type()
                  + "; allowed are F32, F16 and BF16");
    };
  }

  @Override
  public void matrix(MarTensors.Entry entry, Rows rows) {
    TensorInfo tensor = file.tensor(entry.name());
    DType dtype = dtype(tensor);
    long width = tensor.elementsPerRow();
    file.read(
        tensor,
        (firstRow, count, data) ->
            rows.accept((int) firstRow, Tensor.wrap(data, dtype, count, width)));
  }

  @Override
  public float[] values(MarTensors.Entry entry) {
    return file.readFloats(entry.name());
  }
}
