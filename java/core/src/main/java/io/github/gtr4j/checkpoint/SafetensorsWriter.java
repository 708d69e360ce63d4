package io.github.gtr4j.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.gtr4j.AtomicFile;
import io.github.gtr4j.InvalidArgumentException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects named arrays and writes them as a safetensors file, whole or not at all. The arrays are
 * not copied: they must not change until {@link #write} has returned.
 */
public final class SafetensorsWriter {
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int ALIGNMENT = 8;

  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new TreeMap<>();

  /** Puts elements from first on into a buffer until one of the two ends. */
  @FunctionalInterface
  private interface Elements {
    void put(int first, int count, ByteBuffer target);
  }

  private record Entry(String name, ElementType type, long[] shape, int count, Elements elements) {
    long bytes() {
      return (long) count * type.bytes();
    }
  }

  /** A file without metadata and tensors yet. */
  public SafetensorsWriter() {}

  /** Adds metadata. */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /** Adds a tensor of type F32. */
  public SafetensorsWriter floats(String name, float[] values, long... shape) {
    return add(
        name,
        ElementType.F32,
        values.length,
        shape,
        (first, count, target) -> target.asFloatBuffer().put(values, first, count));
  }

  /** Adds a tensor of type I64. */
  public SafetensorsWriter longs(String name, long[] values, long... shape) {
    return add(
        name,
        ElementType.I64,
        values.length,
        shape,
        (first, count, target) -> target.asLongBuffer().put(values, first, count));
  }

  /** Adds a tensor of any type from the bytes of its elements, which are little-endian. */
  public SafetensorsWriter bytes(String name, ElementType type, byte[] values, long... shape) {
    if (values.length % type.bytes() != 0) {
      throw new InvalidArgumentException(
          "values", values.length + " bytes are not whole elements of type " + type);
    }
    return add(
        name,
        type,
        values.length / type.bytes(),
        shape,
        (first, count, target) -> target.put(values, first * type.bytes(), count * type.bytes()));
  }

  private SafetensorsWriter add(
      String name, ElementType type, int count, long[] shape, Elements elements) {
    if (name.equals(SafetensorsHeader.METADATA)) {
      throw new InvalidArgumentException("name", name + " is not a tensor's name");
    }
    if (!holds(shape, count)) {
      throw new InvalidArgumentException(
          "shape",
          TensorInfo.shapeText(shape)
              + " of tensor '"
              + name
              + "' does not match its "
              + count
              + " values");
    }
    if (entries.putIfAbsent(name, new Entry(name, type, shape.clone(), count, elements)) != null) {
      throw new InvalidArgumentException("name", "tensor '" + name + "' was added before");
    }
    return this;
  }

  private static boolean holds(long[] shape, int count) {
    long product = 1;
    try {
      for (long extent : shape) {
        if (extent < 0) {
          return false;
        }
        product = Math.multiplyExact(product, extent);
      }
    } catch (ArithmeticException e) {
      return false;
    }
    return product == count;
  }

  /**
   * Writes the file under a temporary name and moves it to its place.
   *
   * @throws IOException if it cannot be written; the message begins with the file's name
   */
  public void write(Path path) throws IOException {
    List<Entry> ordered = new ArrayList<>(entries.values());
    // Wide elements first, as the format's own library does, so that all of them are aligned.
    ordered.sort(Comparator.comparingInt((Entry entry) -> -entry.type().bytes()));
    byte[] header = header(ordered);
    AtomicFile.write(
        path,
        channel -> {
          ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
          buffer.putLong(header.length);
          drain(buffer, channel);
          ByteBuffer headerBytes = ByteBuffer.wrap(header);
          while (headerBytes.hasRemaining()) {
            channel.write(headerBytes);
          }
          for (Entry entry : ordered) {
            write(entry, buffer, channel);
          }
        });
  }

  private static void write(Entry entry, ByteBuffer buffer, FileChannel channel)
      throws IOException {
    int perChunk = CHUNK_BYTES / entry.type().bytes();
    for (int first = 0; first < entry.count(); first += perChunk) {
      int count = Math.min(perChunk, entry.count() - first);
      entry.elements().put(first, count, buffer);
      // The typed views have positions of their own.
      buffer.position(count * entry.type().bytes());
      drain(buffer, channel);
    }
  }

  private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }

  private byte[] header(List<Entry> ordered) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (Entry entry : ordered) {
        json.writeObjectFieldStart(entry.name());
        json.writeStringField("dtype", entry.type().name());
        json.writeFieldName("shape");
        json.writeArray(entry.shape(), 0, entry.shape().length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {offset, offset + entry.bytes()}, 0, 2);
        json.writeEndObject();
        offset += entry.bytes();
      }
      json.writeEndObject();
    }
    while (bytes.size() % ALIGNMENT != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }
}
