package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Activation;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarConfiguration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What is measured: the operations of guided images at their decode steps by GtR 12,3,1 and MAR 64,
 * alone and eight at a time. MAR-B has most of them; of L and H there is what differs in its
 * widths.
 */
final class Cases {
  /**
   * Steps of GtR 12,3,1, from 0: the first, the one with half of the others before it, the last.
   */
  static final int FIRST = 0;

  static final int MEDIAN = 8;
  static final int LAST = 15;

  /** A step of MAR's 64 in the middle. */
  static final int MAR_MEDIAN = 32;

  private static final int BATCH = 8;

  private final List<Case> cases = new ArrayList<>();
  private final Set<String> texts = new LinkedHashSet<>();

  private Cases() {}

  /** Cases of models, those of one operation together. */
  static List<Case> of(Collection<ModelSize> models) {
    Cases all = new Cases();
    models.forEach(all::linear);
    models.forEach(all::attention);
    models.forEach(all::head);
    for (ModelSize model : models) {
      MarConfiguration c = model.configuration();
      StepShape last = StepShape.gtr(c, LAST, 1);
      all.add(
          "frequency energy",
          model.label() + ", " + last.name() + ": " + last.tokens() + " x " + c.width(),
          Precision.F32,
          new FrequencyEnergyWorkload(last.tokens(), c.width()));
    }
    models.forEach(all::layerNorm);
    models.forEach(all::rows);
    models.forEach(all::tokens);
    return List.copyOf(all.cases);
  }

  /** MAR-B's that goals are about, and one of each other operation. */
  static List<Case> quick() {
    return of(List.of(ModelSize.B, ModelSize.H)).stream().filter(Cases::isQuick).toList();
  }

  private static boolean isQuick(Case c) {
    if (c.workload() instanceof LinearWorkload linear) {
      boolean fewRows = linear.rows() == 16 || linear.rows() == 2 && linear.cold();
      return c.shape().startsWith("MAR-B qkv")
          && (fewRows || c.shape().contains("decoder, GtR step 1 of 16, batch 1"));
    }
    if (c.workload() instanceof AttentionWorkload attention) {
      return attention.queries() == 320 && attention.sequences() == 2;
    }
    if (c.workload() instanceof HeadWorkload) {
      return c.precision() == Precision.BF16 && c.shape().startsWith("MAR-B, GtR step 1 ");
    }
    return c.workload() instanceof FrequencyEnergyWorkload || c.shape().startsWith("MAR-B");
  }

  private void add(String operation, String shape, Precision precision, Workload workload) {
    Case c = new Case(operation, shape, precision, workload);
    if (texts.add(c.text())) {
      cases.add(c);
    }
  }

  /** A block's layer. */
  private record Layer(
      String name, int inputs, int outputs, Activation activation, boolean residual) {}

  private void linear(ModelSize model) {
    MarConfiguration c = model.configuration();
    int width = c.width();
    List<Layer> layers =
        List.of(
            new Layer("qkv", width, 3 * width, Activation.NONE, false),
            new Layer("proj", width, width, Activation.NONE, true),
            new Layer("fc1", width, c.mlpWidth(), Activation.GELU, false),
            new Layer("fc2", c.mlpWidth(), width, Activation.NONE, true));
    StepShape first = StepShape.gtr(c, FIRST, 1);
    StepShape batch = StepShape.gtr(c, FIRST, BATCH);
    StepShape mar = StepShape.mar(c, MAR_MEDIAN, 1);
    for (Precision precision : List.of(Precision.BF16, Precision.F32)) {
      for (Layer layer : layers) {
        boolean all = model == ModelSize.B;
        if (all || precision == Precision.BF16) {
          linear(model, layer, precision, "wanted, " + first.name(), first.wantedRows());
        }
        linear(model, layer, precision, "decoder, " + first.name(), first.decoderRows());
        if (all) {
          linear(model, layer, precision, "encoder, " + first.name(), first.encoderRows());
          linear(model, layer, precision, "decoder, " + batch.name(), batch.decoderRows());
        }
      }
    }
    if (model == ModelSize.B) {
      for (Layer layer : layers) {
        linear(model, layer, Precision.BF16, "encoder, " + mar.name(), mar.encoderRows());
        for (int rows : new int[] {2, 16}) {
          linear(model, layer, Precision.BF16, "few rows", rows, true);
          linear(model, layer, Precision.BF16, "few rows, cached weights", rows, false);
        }
      }
    }
  }

  private void linear(ModelSize model, Layer layer, Precision precision, String place, int rows) {
    linear(model, layer, precision, place, rows, true);
  }

  private void linear(
      ModelSize model, Layer layer, Precision precision, String place, int rows, boolean cold) {
    add(
        "linear",
        model.label() + " " + layer.name() + ", " + place + ": " + rows + " rows",
        precision,
        new LinearWorkload(
            rows, layer.inputs(), layer.outputs(), layer.activation(), layer.residual(), cold));
  }

  private void attention(ModelSize model) {
    MarConfiguration c = model.configuration();
    StepShape first = StepShape.gtr(c, FIRST, 1);
    StepShape median = StepShape.gtr(c, MEDIAN, 1);
    StepShape batch = StepShape.gtr(c, FIRST, BATCH);
    for (Precision precision : List.of(Precision.BF16, Precision.F32)) {
      attention(model, precision, "decoder", first, first.decoderLength(), first.decoderLength());
      if (model != ModelSize.B) {
        continue;
      }
      attention(model, precision, "decoder", batch, batch.decoderLength(), batch.decoderLength());
      attention(model, precision, "wanted", first, first.tokens(), first.decoderLength());
      for (StepShape step : List.of(first, median)) {
        attention(model, precision, "encoder", step, step.encoderLength(), step.encoderLength());
      }
    }
  }

  private void attention(
      ModelSize model, Precision precision, String place, StepShape step, int queries, int keys) {
    MarConfiguration c = model.configuration();
    String sizes =
        step.sequences() + " x " + queries + " x " + keys + ", " + c.heads() + " x " + c.headDim();
    add(
        "attention",
        model.label() + " " + place + ", " + step.name() + ": " + sizes,
        precision,
        new AttentionWorkload(step.sequences(), queries, keys, c.heads(), c.headDim()));
  }

  private void head(ModelSize model) {
    MarConfiguration c = model.configuration();
    head(model, Precision.BF16, StepShape.gtr(c, FIRST, 1));
    if (model == ModelSize.B) {
      head(model, Precision.BF16, StepShape.gtr(c, FIRST, BATCH));
      head(model, Precision.BF16, StepShape.gtr(c, MEDIAN, 1));
      head(model, Precision.BF16, StepShape.gtr(c, LAST, 1));
      head(model, Precision.F32, StepShape.gtr(c, FIRST, 1));
      head(model, Precision.F32, StepShape.gtr(c, FIRST, BATCH));
    }
  }

  private void head(ModelSize model, Precision precision, StepShape step) {
    MarConfiguration c = model.configuration();
    StringBuilder sizes = new StringBuilder();
    for (HeadWorkload.Group group : step.groups()) {
      sizes
          .append(sizes.isEmpty() ? "" : " + ")
          .append(group.rows())
          .append(" tokens x ")
          .append(group.steps());
    }
    add(
        "head chain",
        model.label() + ", " + step.name() + ": " + sizes,
        precision,
        new HeadWorkload(c.channels(), c.width(), c.headWidth(), c.headBlocks(), step.groups(), 1));
  }

  private void layerNorm(ModelSize model) {
    MarConfiguration c = model.configuration();
    StepShape step = StepShape.gtr(c, FIRST, 1);
    add(
        "layer norm",
        model.label() + " decoder, " + step.name() + ": " + step.decoderRows() + " rows",
        Precision.BF16,
        new LayerNormWorkload(step.decoderRows(), c.width(), false));
    if (model == ModelSize.B) {
      StepShape last = StepShape.gtr(c, LAST, 1);
      add(
          "layer norm",
          model.label() + " head, modulated, " + last.name() + ": " + last.wantedRows() + " rows",
          Precision.BF16,
          new LayerNormWorkload(last.wantedRows(), c.headWidth(), true));
    }
  }

  private void rows(ModelSize model) {
    if (model != ModelSize.B) {
      return;
    }
    MarConfiguration c = model.configuration();
    StepShape step = StepShape.gtr(c, LAST, 1);
    int all = step.decoderRows();
    for (RowsWorkload.Kind kind : RowsWorkload.Kind.values()) {
      int rows = kind == RowsWorkload.Kind.EMBED ? all : step.wantedRows();
      add(
          kind.name().toLowerCase(Locale.ROOT),
          model.label() + ", " + step.name() + ": " + rows + " rows of " + c.width(),
          Precision.F32,
          new RowsWorkload(kind, rows, all, c.width()));
    }
  }

  /** What a step does with its tokens alone. */
  private void tokens(ModelSize model) {
    if (model != ModelSize.B) {
      return;
    }
    MarConfiguration c = model.configuration();
    StepShape first = StepShape.gtr(c, FIRST, 1);
    StepShape last = StepShape.gtr(c, LAST, BATCH);
    for (StepShape step : List.of(first, last)) {
      int rows = step.images() * step.tokens();
      add(
          "noise",
          model.label() + ", " + step.name() + ": " + rows + " x " + c.channels(),
          Precision.F32,
          new NoiseWorkload(rows, c.channels()));
    }
    int selected = last.groups().get(0).rows() / last.images();
    add(
        "top fraction",
        model.label() + ", " + last.name() + ": " + selected + " of " + last.tokens() + " each",
        Precision.F32,
        new TopFractionWorkload(last.images(), last.tokens(), selected));
  }
}
