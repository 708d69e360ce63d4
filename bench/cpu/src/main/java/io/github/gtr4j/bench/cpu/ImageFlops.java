package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.TokenGrid;

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
    TokenGrid grid = new TokenGrid(model.gridHeight(), model.gridWidth());
    int steps = GtrSchedule.defaults().plan(grid).steps().size();
    double backbone = 0;
    double head = 0;
    for (int i = 0; i < steps; i++) {
      StepShape step = StepShape.gtr(model, i, images);
      backbone += backbone(model, step);
      head +=
          new HeadWorkload(
                  model.channels(),
                  model.width(),
                  model.headWidth(),
                  model.headBlocks(),
                  step.groups(),
                  1)
              .flops();
    }
    return new ImageFlops(backbone, head);
  }

  /** Those of a decode step, and of projecting its tokens afterwards. */
  static double backbone(MarConfiguration model, StepShape step) {
    double width = model.width();
    int encoder = step.encoderRows();
    int decoder = step.decoderRows();
    double tokens = (double) step.images() * step.tokens();
    return model.encoderBlocks() * block(model, encoder, step.encoderLength(), encoder)
        + linear(encoder, width, width)
        + (model.decoderBlocks() - 1) * block(model, decoder, step.decoderLength(), decoder)
        + block(model, decoder, step.decoderLength(), step.wantedRows())
        + linear(tokens, model.channels(), width);
  }

  /**
   * A block over rows.
   *
   * @param length keys of a sequence
   * @param wanted rows whose results are computed; qkv is computed of all
   */
  private static double block(MarConfiguration model, double rows, double length, double wanted) {
    double width = model.width();
    return linear(rows, width, 3 * width)
        + 4 * wanted * length * width
        + linear(wanted, width, width)
        + 2 * linear(wanted, width, model.mlpWidth());
  }

  private static double linear(double rows, double inputs, double outputs) {
    return 2 * rows * inputs * outputs;
  }
}
