package io.github.gtr4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The JDK's own reader sees the pixels that were written. */
class PngWriterTest {
  @TempDir Path folder;

  private static Raster noise(int width, int height, int channels) {
    Raster raster = new Raster(width, height, channels);
    Random random = new Random(5);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < channels; c++) {
          raster.setSample(x, y, c, random.nextInt(256));
        }
      }
    }
    return raster;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "1, 1, 3", "7, 5, 1", "5, 7, 3", "300, 2, 1", "2, 300, 3"})
  void everyPixelIsRead(int width, int height, int channels) throws IOException {
    Raster raster = noise(width, height, channels);
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(PngWriter.encode(raster)));
    assertEquals(width, image.getWidth());
    assertEquals(height, image.getHeight());
    assertEquals(channels, image.getRaster().getNumBands());
    int[] pixel = new int[channels];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.getRaster().getPixel(x, y, pixel);
        for (int c = 0; c < channels; c++) {
          assertEquals(raster.sample(x, y, c), pixel[c]);
        }
      }
    }
  }

  @Test
  void filesAreWrittenWholeOrNotAtAll() throws IOException {
    Path path = folder.resolve("a.png");
    Raster raster = noise(3, 3, 1);
    PngWriter.write(raster, path);
    assertArrayEquals(PngWriter.encode(raster), Files.readAllBytes(path));
    assertThrows(IOException.class, () -> PngWriter.write(raster, folder.resolve("absent/a.png")));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(path), files.toList());
    }
  }
}
