package io.github.gtr4j.model;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.kernel.Attention;
import io.github.gtr4j.kernel.Linear;
import io.github.gtr4j.kernel.Precision;

/** Where everything lies in a workspace's one device buffer. */
final class WorkspaceLayout {
  private static final long ALIGNMENT = 64;

  private final DType activation;
  private final int images;
  private final int sequences;
  private final int places;
  private final int rows;
  private long end;

  private final long projected;
  private final long hidden;
  private final long other;
  private final long normed;
  private final long wide;
  private final long spread;
  private final long attended;
  private final long conditions;
  private final long indices;
  private final long scratch;
  private final long scratchBytes;

  WorkspaceLayout(MarModel model, WorkspaceSize size) {
    MarConfiguration c = model.configuration();
    activation = model.precision() == Precision.BF16 ? DType.BF16 : DType.F32;
    images = size.images();
    sequences = size.sequences();
    places = c.buffer() + c.tokens();
    long most = (long) sequences * places;
    // Indices of rows are 32-bit numbers, and their arrays lie in one ByteBuffer.
    if (most > BatchIndices.MAX_PLACES || (long) images * c.tokens() > Integer.MAX_VALUE) {
      throw new InvalidArgumentException(
          "sequences",
          sequences
              + " sequences of "
              + images
              + " images; allowed are at most "
              + BatchIndices.MAX_PLACES / places
              + " sequences of "
              + Integer.MAX_VALUE / c.tokens()
              + " images");
    }
    rows = (int) Math.min(size.rows(), 2 * most);
    long width = c.width();
    projected = reserve(DType.F32, (long) images * c.tokens() * width);
    hidden = reserve(DType.F32, most * width);
    other = reserve(DType.F32, most * width);
    normed = reserve(activation, most * width);
    wide = reserve(activation, most * Math.max(3 * width, c.mlpWidth()));
    spread = reserve(activation, most * 3 * width);
    attended = reserve(activation, most * width);
    conditions = reserve(DType.F32, rows * width);
    indices = reserve(DType.I32, BatchIndices.capacity(sequences, places, rows));
    scratchBytes = scratchBytes(model, c, most);
    scratch = reserve(DType.U8, scratchBytes);
  }

  private static long scratchBytes(MarModel model, MarConfiguration c, long most) {
    Device device = model.device();
    int length = c.buffer() + c.tokens();
    long bytes =
        Attention.scratchBytes(
            device, model.precision(), most / length, length, length, c.heads(), c.headDim());
    MarWeights weights = model.weights();
    bytes = Math.max(bytes, weights.zProj().scratchBytes(most));
    bytes = Math.max(bytes, weights.decoderEmbed().scratchBytes(most));
    TransformerBlock block = weights.encoder().get(0);
    for (Linear linear : new Linear[] {block.qkv(), block.proj(), block.fc1(), block.fc2()}) {
      bytes = Math.max(bytes, linear.scratchBytes(most));
    }
    return bytes;
  }

  private long reserve(DType dtype, long elements) {
    long offset = end;
    end += (elements * dtype.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return offset;
  }

  /** Size of the whole buffer. */
  long bytes() {
    return end;
  }

  /** Type of activations that are inputs of the large products. */
  DType activation() {
    return activation;
  }

  int images() {
    return images;
  }

  int sequences() {
    return sequences;
  }

  /** Places of a sequence: buffer and tokens. */
  int places() {
    return places;
  }

  int rows() {
    return rows;
  }

  /** Known tokens of each image after z_proj, [images · tokens, width], float. */
  long projected() {
    return projected;
  }

  /** The residual stream, [sequences · places, width], float. */
  long hidden() {
    return hidden;
  }

  /** As {@link #hidden}: the decoder's input, later the residual stream of the wanted rows. */
  long other() {
    return other;
  }

  /** Outputs of norms, [sequences · places, width]. */
  long normed() {
    return normed;
  }

  /** Outputs of qkv and fc1, [sequences · places, the wider of both]. */
  long wide() {
    return wide;
  }

  /** Inputs of attention, padded to the longest sequence, [sequences · places, 3 · width]. */
  long spread() {
    return spread;
  }

  /** Outputs of attention, [sequences · places, width]. */
  long attended() {
    return attended;
  }

  /** The result, [rows, width], float. */
  long conditions() {
    return conditions;
  }

  /** The index arrays of {@link BatchIndices}. */
  long indices() {
    return indices;
  }

  long scratch() {
    return scratch;
  }

  long scratchBytes() {
    return scratchBytes;
  }
}
