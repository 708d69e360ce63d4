package io.github.gtr4j.checkpoint;

import io.github.gtr4j.InvalidArgumentException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A safetensors file that is open for reading. Its header is checked when it is opened; its data is
 * read window by window into one direct buffer, so that files of any size take little memory.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** Most bytes of data that are read at once, unless a single row has more. */
  public static final int DEFAULT_WINDOW_BYTES = 64 << 20;

  /** Longest header that is accepted. */
  public static final int MAX_HEADER_BYTES = 16 << 20;

  private static final int PREFIX_BYTES = Long.BYTES;

  private final CheckpointSource source;
  private final int windowBytes;
  private final long dataStart;
  private final SafetensorsHeader header;
  private ByteBuffer window;

  /** Rows of a tensor that lie in a buffer. */
  @FunctionalInterface
  public interface WindowReader {
    /**
     * Takes some rows.
     *
     * @param firstRow index of the first of them
     * @param rows how many there are
     * @param data the elements: a direct buffer, little-endian, from position 0 to its limit; valid
     *     until the call returns
     */
    void read(long firstRow, long rows, ByteBuffer data);
  }

  private SafetensorsFile(CheckpointSource source, int windowBytes) {
    this.source = source;
    this.windowBytes = windowBytes;
    try {
      long fileBytes = source.size();
      long headerBytes = headerBytes(fileBytes);
      this.dataStart = PREFIX_BYTES + headerBytes;
      this.header = SafetensorsHeader.parse(new HeaderStream(dataStart), fileBytes - dataStart);
    } catch (CheckpointException e) {
      throw e.inFile(source.name());
    } catch (IOException e) {
      throw unreadable("header", "the header", e);
    }
  }

  /**
   * Opens a file.
   *
   * @throws CheckpointException if it cannot be read or is malformed
   */
  public static SafetensorsFile open(Path path) {
    return open(CheckpointSource.of(path));
  }

  /**
   * Opens a source, which is closed with the returned file, and if this fails.
   *
   * @throws CheckpointException if it cannot be read or is malformed
   */
  public static SafetensorsFile open(CheckpointSource source) {
    return open(source, DEFAULT_WINDOW_BYTES);
  }

  /**
   * Opens a source, which is closed with the returned file, and if this fails.
   *
   * @param windowBytes most bytes of data to read at once, unless a single row has more
   * @throws CheckpointException if it cannot be read or is malformed
   */
  public static SafetensorsFile open(CheckpointSource source, int windowBytes) {
    try {
      if (windowBytes < 1) {
        throw new InvalidArgumentException("windowBytes", windowBytes + "; allowed from 1 on");
      }
      return new SafetensorsFile(source, windowBytes);
    } catch (RuntimeException e) {
      try {
        source.close();
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  /** Name of the file. */
  public String name() {
    return source.name();
  }

  /** The metadata: keys and values are free text. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** The tensors by name, in the order of their data. */
  public Map<String, TensorInfo> tensors() {
    return header.tensors();
  }

  /**
   * A tensor.
   *
   * @throws CheckpointException if there is none of this name
   */
  public TensorInfo tensor(String name) {
    TensorInfo tensor = header.tensors().get(name);
    if (tensor == null) {
      throw new CheckpointException(source.name(), name, "tensor '" + name + "' is missing", null);
    }
    return tensor;
  }

  /** Reads a tensor by indices of its first dimension; scalars are one row of one element. */
  public void read(TensorInfo tensor, WindowReader reader) {
    read(tensor, tensor.elementsPerRow(), reader);
  }

  /**
   * Reads a tensor as rows of a given length, several at a time, in order and each once.
   *
   * @param tensor one of this file
   * @param elementsPerRow a divisor of the number of elements
   * @param reader called with one window after the other; not called if the tensor is empty
   * @throws CheckpointException if the file cannot be read to the tensor's end
   */
  public void read(TensorInfo tensor, long elementsPerRow, WindowReader reader) {
    if (header.tensors().get(tensor.name()) != tensor) {
      throw new InvalidArgumentException("tensor", tensor + " is not one of " + source.name());
    }
    if (tensor.elements() == 0) {
      return;
    }
    if (elementsPerRow < 1 || tensor.elements() % elementsPerRow != 0) {
      throw new InvalidArgumentException(
          "elementsPerRow",
          elementsPerRow
              + "; allowed are divisors of the "
              + tensor.elements()
              + " elements of "
              + tensor);
    }
    // No overflow: a row is at most the tensor, whose bytes fit in the file.
    long rowBytes = elementsPerRow * tensor.type().bytes();
    if (rowBytes > Integer.MAX_VALUE) {
      throw new CheckpointException(
          source.name(),
          tensor.name(),
          "tensor '"
              + tensor.name()
              + "' has rows of "
              + rowBytes
              + " bytes; allowed are at most "
              + Integer.MAX_VALUE,
          null);
    }
    long totalRows = tensor.elements() / elementsPerRow;
    long rowsPerWindow = Math.min(totalRows, Math.max(1, windowBytes / rowBytes));
    ByteBuffer buffer = window((int) (rowsPerWindow * rowBytes));
    for (long row = 0; row < totalRows; row += rowsPerWindow) {
      long rows = Math.min(rowsPerWindow, totalRows - row);
      buffer.clear().limit((int) (rows * rowBytes));
      try {
        source.read(dataStart + tensor.offset() + row * rowBytes, buffer);
      } catch (IOException e) {
        throw unreadable(tensor.name(), "tensor '" + tensor.name() + "'", e);
      }
      buffer.flip();
      // A view, so that the reader cannot disturb the buffer's position, limit and byte order.
      reader.read(row, rows, buffer.slice().order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  /**
   * All elements of an F32, F16 or BF16 tensor, widened to float.
   *
   * @throws CheckpointException if it is missing, has another type, or more elements than an array
   */
  public float[] readFloats(String name) {
    TensorInfo tensor = arrayOf(name, ElementType.F32, ElementType.F16, ElementType.BF16);
    float[] values = new float[(int) tensor.elements()];
    int[] next = {0};
    read(
        tensor,
        1,
        (firstRow, rows, data) -> {
          while (data.hasRemaining()) {
            values[next[0]++] =
                switch (tensor.type()) {
                  case F32 -> data.getFloat();
                  case F16 -> HalfPrecision.toFloat(data.getShort());
                  default -> Float.intBitsToFloat(data.getShort() << 16);
                };
          }
        });
    return values;
  }

  /**
   * All elements of an F64 tensor.
   *
   * @throws CheckpointException if it is missing, has another type, or more elements than an array
   */
  public double[] readDoubles(String name) {
    TensorInfo tensor = arrayOf(name, ElementType.F64);
    double[] values = new double[(int) tensor.elements()];
    read(
        tensor,
        1,
        (firstRow, rows, data) -> data.asDoubleBuffer().get(values, (int) firstRow, (int) rows));
    return values;
  }

  /**
   * All elements of an I64 tensor.
   *
   * @throws CheckpointException if it is missing, has another type, or more elements than an array
   */
  public long[] readLongs(String name) {
    TensorInfo tensor = arrayOf(name, ElementType.I64);
    long[] values = new long[(int) tensor.elements()];
    read(
        tensor,
        1,
        (firstRow, rows, data) -> data.asLongBuffer().get(values, (int) firstRow, (int) rows));
    return values;
  }

  /** Closes the file; closing it again does nothing. */
  @Override
  public void close() {
    window = null;
    try {
      source.close();
    } catch (IOException e) {
      throw new CheckpointException(
          source.name(), "", "cannot be closed: " + IoMessages.reason(e), e);
    }
  }

  private TensorInfo arrayOf(String name, ElementType... allowed) {
    TensorInfo tensor = tensor(name);
    for (ElementType type : allowed) {
      if (tensor.type() == type) {
        if (tensor.elements() > Integer.MAX_VALUE - 8) {
          throw new CheckpointException(
              source.name(),
              name,
              "tensor '" + name + "' has " + tensor.elements() + " elements, too many for an array",
              null);
        }
        return tensor;
      }
    }
    throw new CheckpointException(
        source.name(),
        name,
        "tensor '"
            + name
            + "' has elements of type "
            + tensor.type()
            + "; allowed: "
            + String.join(", ", Arrays.stream(allowed).map(Enum::name).toList()),
        null);
  }

  private long headerBytes(long fileBytes) throws IOException {
    if (fileBytes < PREFIX_BYTES) {
      throw new CheckpointException(
          "", "the file has " + fileBytes + " bytes, too few for a safetensors file");
    }
    ByteBuffer prefix = ByteBuffer.allocate(PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(0, prefix);
    long bytes = prefix.getLong(0);
    if (bytes < 0 || bytes > MAX_HEADER_BYTES) {
      throw new CheckpointException(
          "header length",
          "the header length is "
              + Long.toUnsignedString(bytes)
              + " bytes; allowed are at most "
              + MAX_HEADER_BYTES
              + " (is it a safetensors file?)");
    }
    if (bytes > fileBytes - PREFIX_BYTES) {
      throw new CheckpointException(
          "header length",
          "the header length is "
              + bytes
              + " bytes, but the file has only "
              + (fileBytes - PREFIX_BYTES)
              + " more (is it truncated?)");
    }
    return bytes;
  }

  private ByteBuffer window(int bytes) {
    if (window == null || window.capacity() < bytes) {
      window = null;
      window = ByteBuffer.allocateDirect(bytes);
    }
    return window;
  }

  private CheckpointException unreadable(String item, String what, IOException e) {
    String problem =
        e instanceof EOFException
            ? "the file was truncated while " + what + " was read: " + e.getMessage()
            : what + " cannot be read: " + IoMessages.reason(e);
    return new CheckpointException(source.name(), item, problem, e);
  }

  /** The bytes of the header. */
  private final class HeaderStream extends InputStream {
    private final long end;
    private long position = PREFIX_BYTES;

    HeaderStream(long end) {
      this.end = end;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int count = (int) Math.min(length, end - position);
      if (count == 0) {
        return -1;
      }
      source.read(position, ByteBuffer.wrap(target, offset, count));
      position += count;
      return count;
    }
  }
}
