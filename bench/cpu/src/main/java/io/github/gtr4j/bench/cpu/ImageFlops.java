package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Floating-point operations, 2 per multiply-add of the matrix products, that guided images take.
 *
 * @param backbone of encoder and decoder
 * @param head of the diffusion head
 */
record ImageFlops(double backbone, double head) {
  double total() {
    return backbone + head;
  }

  /**
   * Those of images that go through GtR's default plan together, as they are executed: the
   * decoder's last block computes only keys and values of what is not wanted, a token is projected
   * once, and the head shares what {@link HeadWorkload#flops} says.
   */
  static ImageFlops executed(MarConfiguration model, int images) {
    double backbone = 0;
    double head = 0;
    for (StepShape step : steps(model, images)) {
      backbone += linears(model, step) + attention(model, step);
      head += head(model, step).flops();
    }
    return new ImageFlops(backbone, head);
  }

  /**
   * The least time that peaks allow for all of that, one operation after the other. Without what
   * goes through no product: norms, gathering, noise.
   */
  static double leastSeconds(MarConfiguration model, int images, Precision precision, Peaks peaks) {
    double seconds = 0;
    for (StepShape step : steps(model, images)) {
      seconds +=
          linears(model, step) / peaks.cachedFlops(precision)
              + attention(model, step) / peaks.attentionFlops(precision, model.headDim())
              + head(model, step).leastSeconds(precision, peaks);
    }
    return seconds;
  }

  /** Those of a decode step, and of projecting its tokens afterwards. */
  static double backbone(MarConfiguration model, StepShape step) {
    return linears(model, step) + attention(model, step);
  }

  private static List<StepShape> steps(MarConfiguration model, int images) {
    TokenGrid grid = new TokenGrid(model.gridHeight(), model.gridWidth());
    return IntStream.range(0, GtrSchedule.defaults().plan(grid).steps().size())
        .mapToObj(i -> StepShape.gtr(model, i, images))
        .toList();
  }

  private static HeadWorkload head(MarConfiguration model, StepShape step) {
    return new HeadWorkload(
        model.channels(), model.width(), model.headWidth(), model.headBlocks(), step.groups(), 1);
  }

  private static double linears(MarConfiguration model, StepShape step) {
    double width = model.width();
    int encoder = step.encoderRows();
    int decoder = step.decoderRows();
    double tokens = (double) step.images() * step.tokens();
    return model.encoderBlocks() * linears(model, encoder, encoder)
        + linear(encoder, width, width)
        + (model.decoderBlocks() - 1) * linears(model, decoder, decoder)
        + linears(model, decoder, step.wantedRows())
        + linear(tokens, model.channels(), width);
  }

  /**
   * Those of a block.
   *
   * @param wanted rows whose results are computed; qkv is computed of all
   */
  private static double linears(MarConfiguration model, double rows, double wanted) {
    double width = model.width();
    return linear(rows, width, 3 * width)
        + linear(wanted, width, width)
        + 2 * linear(wanted, width, model.mlpWidth());
  }

  private static double attention(MarConfiguration model, StepShape step) {
    double encoder = (double) step.encoderRows() * step.encoderLength();
    double decoder = (double) step.decoderRows() * step.decoderLength();
    double last = (double) step.wantedRows() * step.decoderLength();
    double weights = model.encoderBlocks() * encoder + (model.decoderBlocks() - 1) * decoder + last;
    return 4 * weights * model.width();
  }

  private static double linear(double rows, double inputs, double outputs) {
    return 2 * rows * inputs * outputs;
  }
}
