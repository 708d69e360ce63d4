package io.github.gtr4j.sampling;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.ChainArguments;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.DecodeStep;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The scratch that the diffusion chains of requests will take, found by going through their plans
 * as the sampler will. It does not look at anything but sizes, so one entry of memory stands for
 * all rows.
 */
final class ChainForecast {
  /** A request of which some steps are done. */
  private static final class Progress {
    final SamplingRequest request;
    int step;

    Progress(SamplingRequest request, int step) {
      this.request = request;
      this.step = step;
    }
  }

  private final MarModel model;
  private final int maxBatch;
  private final ByteBuffer memory;
  private final ChainArguments chain;
  private final ChainLayout layout = new ChainLayout();
  private final Deque<Progress> queue = new ArrayDeque<>();

  ChainForecast(MarModel model, SamplerOptions options) {
    this.model = model;
    this.maxBatch = options.maxBatch();
    MarConfiguration configuration = model.configuration();
    memory = ByteBuffer.allocateDirect(configuration.width() * Float.BYTES + Long.BYTES);
    chain =
        new ChainArguments(2 * maxBatch)
            .x0Clip(configuration.x0Clip().orElse(0))
            .modulationBytes(options.modulationBytes());
  }

  /** Adds a request that has still to be done from a step on. */
  void add(SamplingRequest request, int step) {
    queue.add(new Progress(request, step));
  }

  /**
   * The most that any batch of the requests takes, begun together and as far as there is room for
   * them.
   */
  long scratchBytes() {
    long most = 0;
    List<Progress> active = new ArrayList<>();
    while (true) {
      active.removeIf(p -> p.step == p.request.plan().steps().size());
      while (active.size() < maxBatch && !queue.isEmpty()) {
        active.add(queue.remove());
      }
      if (active.isEmpty()) {
        return most;
      }
      most = Math.max(most, scratchBytes(active));
      active.forEach(p -> p.step++);
    }
  }

  private long scratchBytes(List<Progress> active) {
    layout.clear();
    int rows = 0;
    boolean anyGuided = false;
    for (Progress progress : active) {
      DecodeStep step = progress.request.plan().steps().get(progress.step);
      boolean guided = progress.request.guidance().isActive();
      layout.add(step.detailDiffusionSteps(), guided, step.detailTokens());
      layout.add(step.diffusionSteps(), guided, step.tokens() - step.detailTokens());
      rows += step.tokens();
      anyGuided |= guided;
    }
    layout.arrange();
    layout.fill(chain);
    int width = model.configuration().width();
    Tensor z =
        Tensor.wrap(memory, DType.F32, 1, width)
            .withLayout(new long[] {rows, width}, new long[] {0, 1});
    chain
        .z(z)
        .zUnconditional(anyGuided ? z : null)
        .seed(entries(DType.U64, rows))
        .image(entries(DType.U32, rows))
        .cell(entries(DType.U32, rows))
        .cfg(anyGuided ? entries(DType.F32, rows) : null)
        .temperature(entries(DType.F32, rows));
    return model.head().chainScratchBytes(chain);
  }

  private Tensor entries(DType dtype, int rows) {
    return Tensor.wrap(memory, dtype, 1).withLayout(new long[] {rows}, new long[] {0});
  }
}
