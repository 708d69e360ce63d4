package io.github.gtr4j.cli;

import io.github.gtr4j.checkpoint.SafetensorsWriter;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.sampling.SamplingResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes images as tensors: latents [N, C, h, w] f32, and i64 [N, L] each: order (cells in decode
 * order), decode_step and diffusion_steps of each cell.
 */
final class LatentsFile {
  private LatentsFile() {}

  /** Refuses numbers of images whose latents would be too many for one array. */
  static void checkCount(MarConfiguration model, int images) {
    long perImage = (long) model.gridHeight() * model.gridWidth() * model.channels();
    long most = Integer.MAX_VALUE / perImage;
    if (images > most) {
      throw new BadInputException(
          "--count", images + "; --latents writes at most " + most + " images of this size");
    }
  }

  static void write(Path path, Images images, List<SamplingResult> results) throws IOException {
    SamplingResult first = results.get(0);
    int cells = first.height() * first.width();
    int values = cells * first.channels();
    int count = results.size();
    float[] latents = new float[count * values];
    long[] order = new long[count * cells];
    long[] decodeStep = new long[count * cells];
    long[] diffusionSteps = new long[count * cells];
    for (int k = 0; k < count; k++) {
      SamplingResult result = results.get(k);
      System.arraycopy(result.latents(), 0, latents, k * values, values);
      copy(result.trace().order(), order, k * cells);
      copy(result.trace().decodeStep(), decodeStep, k * cells);
      copy(result.trace().diffusionSteps(), diffusionSteps, k * cells);
    }
    new SafetensorsWriter()
        .metadata("generator", "gtr4j " + Version.TEXT)
        .metadata("seed", Long.toUnsignedString(images.seed()))
        .metadata("first_image", Long.toString(images.first()))
        .floats("latents", latents, count, first.channels(), first.height(), first.width())
        .longs("order", order, count, cells)
        .longs("decode_step", decodeStep, count, cells)
        .longs("diffusion_steps", diffusionSteps, count, cells)
        .write(path);
  }

  private static void copy(int[] from, long[] to, int offset) {
    for (int k = 0; k < from.length; k++) {
      to[offset + k] = from[k];
    }
  }
}
