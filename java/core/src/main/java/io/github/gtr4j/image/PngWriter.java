package io.github.gtr4j.image;

import io.github.gtr4j.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * Writes PNG files (ISO/IEC 15948): 8 bits per channel, grey or RGB, without interlace. The same
 * picture gives the same bytes.
 */
public final class PngWriter {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  private static final byte GREY = 0;
  private static final byte RGB = 2;
  private static final byte FILTER_UP = 2;

  private PngWriter() {}

  /**
   * Writes a picture, whole or not at all.
   *
   * @throws IOException if the file cannot be written; the message begins with its name
   */
  public static void write(Raster raster, Path path) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(encode(raster));
    AtomicFile.write(
        path,
        channel -> {
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        });
  }

  /** The bytes of the file. */
  public static byte[] encode(Raster raster) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.writeBytes(SIGNATURE);
    byte colour = raster.channels() == 1 ? GREY : RGB;
    byte[] header =
        ByteBuffer.allocate(13)
            .putInt(raster.width())
            .putInt(raster.height())
            .put((byte) 8)
            .put(colour)
            .put(new byte[3]) // deflate, adaptive filters, no interlace
            .array();
    chunk(png, "IHDR", header);
    chunk(png, "IDAT", deflate(raster));
    chunk(png, "IEND", new byte[0]);
    return png.toByteArray();
  }

  /** Rows as differences to the row above, which suits enlarged pixels: most of them are equal. */
  private static byte[] deflate(Raster raster) {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
    try (DeflaterOutputStream stream = new DeflaterOutputStream(compressed, deflater)) {
      int rowBytes = raster.width() * raster.channels();
      byte[] above = new byte[rowBytes];
      byte[] row = new byte[rowBytes];
      byte[] filtered = new byte[1 + rowBytes];
      filtered[0] = FILTER_UP;
      for (int y = 0; y < raster.height(); y++) {
        raster.copyRow(y, row, 0);
        for (int i = 0; i < rowBytes; i++) {
          filtered[1 + i] = (byte) (row[i] - above[i]);
        }
        stream.write(filtered);
        byte[] free = above;
        above = row;
        row = free;
      }
    } catch (IOException e) {
      throw new AssertionError("memory cannot fail to be written", e);
    } finally {
      deflater.end();
    }
    return compressed.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 checksum = new CRC32();
    checksum.update(name);
    checksum.update(data);
    png.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(data.length).array());
    png.writeBytes(name);
    png.writeBytes(data);
    png.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt((int) checksum.getValue()).array());
  }
}
