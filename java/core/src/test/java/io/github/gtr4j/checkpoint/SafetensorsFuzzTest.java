package io.github.gtr4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Any bytes either open as a file whose tensors can be read to the last byte, or are refused with a
 * {@link CheckpointException}. In {@code verify} this replays the seeds under the resources; with
 * the environment variable {@code JAZZER_FUZZ=1} it looks for new ones.
 */
class SafetensorsFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void anyBytes(byte[] bytes) {
    try (SafetensorsFile file = SafetensorsFile.open(CheckpointSource.ofBytes("fuzz", bytes), 64)) {
      long total = 0;
      for (TensorInfo tensor : file.tensors().values()) {
        long[] read = {0};
        // Row by row of the shape, and element by element where rows are too long for that.
        long perRow = tensor.bytes() <= 1024 ? tensor.elementsPerRow() : 1;
        file.read(tensor, Math.max(1, perRow), (first, rows, data) -> read[0] += data.remaining());
        assertEquals(tensor.bytes(), read[0]);
        total += read[0];
      }
      if (total > bytes.length) {
        throw new AssertionError("more data than bytes in the file");
      }
    } catch (CheckpointException e) {
      if (e.getMessage().contains("\n") || !e.file().equals("fuzz")) {
        throw new AssertionError("not a line that names the file", e);
      }
    }
  }
}
