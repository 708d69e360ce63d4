package io.github.gtr4j.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds safetensors files by hand, malformed ones too. */
final class Safetensors {
  private Safetensors() {}

  /** A file of a header and zeros. */
  static byte[] file(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return file(json.length, json, new byte[dataBytes]);
  }

  /** A file of any three parts. */
  static byte[] file(long headerLength, byte[] header, byte[] data) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ByteBuffer prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.writeBytes(prefix.putLong(headerLength).array());
    bytes.writeBytes(header);
    bytes.writeBytes(data);
    return bytes.toByteArray();
  }

  static SafetensorsFile open(byte[] file) {
    return SafetensorsFile.open(CheckpointSource.ofBytes("test.safetensors", file));
  }
}
