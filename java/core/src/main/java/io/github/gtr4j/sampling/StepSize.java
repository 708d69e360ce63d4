package io.github.gtr4j.sampling;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.ChainArguments;
import io.github.gtr4j.kernel.FrequencyEnergy;
import io.github.gtr4j.kernel.TopFraction;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.model.WorkspaceSize;
import io.github.gtr4j.schedule.DecodeStep;
import java.nio.ByteBuffer;
import java.util.Collection;

/**
 * The largest decode step that requests can make together, whatever steps of theirs coincide.
 *
 * @param images images of the batch
 * @param sequences their sequences, unconditional halves included
 * @param rows their tokens, unconditional halves not included
 * @param guided whether any image is guided
 * @param diffusionSteps most diffusion steps of a token
 */
record StepSize(int images, int sequences, int rows, boolean guided, int diffusionSteps) {

  /** The largest step of requests of which at most so many are under way at once. */
  static StepSize of(Collection<SamplingRequest> requests, int maxBatch) {
    int images = Math.min(maxBatch, requests.size());
    long guided = requests.stream().filter(r -> r.guidance().isActive()).count();
    int rows =
        requests.stream()
            .map(r -> r.plan().maxTokensPerStep())
            .sorted((a, b) -> Integer.compare(b, a))
            .limit(images)
            .mapToInt(Integer::intValue)
            .sum();
    int diffusionSteps =
        requests.stream()
            .flatMap(r -> r.plan().steps().stream())
            .mapToInt(DecodeStep::maxDiffusionSteps)
            .max()
            .orElseThrow();
    return new StepSize(
        images, images + (int) Math.min(images, guided), rows, guided > 0, diffusionSteps);
  }

  /**
   * Room for it in the model's part; the unconditional rows are as many as the others if there are
   * any.
   */
  WorkspaceSize workspace() {
    return new WorkspaceSize(images, sequences, guided ? 2 * rows : rows);
  }

  /** Scratch that selection and chains of it take. */
  long scratchBytes(MarModel model, long modulationBytes) {
    long bytes = selectionScratchBytes(model, rows);
    return Math.max(bytes, chainScratchBytes(model, modulationBytes));
  }

  /** Scratch that frequency-weighted selection among so many rows takes. */
  static long selectionScratchBytes(MarModel model, int rows) {
    Device device = model.device();
    return Math.max(
        FrequencyEnergy.scratchBytes(device, rows, model.configuration().width()),
        TopFraction.scratchBytes(device, rows));
  }

  /**
   * As if all rows had the most diffusion steps. Only sizes are looked at: one entry stands for all
   * rows.
   */
  private long chainScratchBytes(MarModel model, long modulationBytes) {
    MarConfiguration configuration = model.configuration();
    int width = configuration.width();
    ByteBuffer memory = ByteBuffer.allocateDirect(width * Float.BYTES + Long.BYTES);
    Tensor z =
        Tensor.wrap(memory, DType.F32, 1, width)
            .withLayout(new long[] {rows, width}, new long[] {0, 1});
    ChainArguments chain =
        new ChainArguments(1)
            .x0Clip(configuration.x0Clip().orElse(0))
            .modulationBytes(modulationBytes)
            .addGroup(rows, diffusionSteps, guided)
            .z(z)
            .zUnconditional(guided ? z : null)
            .seed(entries(memory, DType.U64))
            .image(entries(memory, DType.U32))
            .cell(entries(memory, DType.U32))
            .cfg(guided ? entries(memory, DType.F32) : null)
            .temperature(entries(memory, DType.F32));
    return model.head().chainScratchBytes(chain);
  }

  private Tensor entries(ByteBuffer memory, DType dtype) {
    return Tensor.wrap(memory, dtype, 1).withLayout(new long[] {rows}, new long[] {0});
  }
}
