package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Guided images that go through GtR 12,3,1 together.
 *
 * @param model its sizes
 * @param precision of the matrix products
 * @param images of the batch
 */
record ImageCase(ModelSize model, Precision precision, int images) {
  static List<ImageCase> of(
      Collection<ModelSize> models, Collection<Precision> precisions, Collection<Integer> batches) {
    List<ImageCase> cases = new ArrayList<>();
    for (ModelSize model : models) {
      for (Precision precision : precisions) {
        for (int images : batches) {
          cases.add(new ImageCase(model, precision, images));
        }
      }
    }
    return List.copyOf(cases);
  }

  /** Such as "MAR-B, bf16, batch 8". */
  String text() {
    return model.label() + ", " + precision.name().toLowerCase(Locale.ROOT) + ", batch " + images;
  }

  /** Floating-point operations of the whole batch that are executed. */
  ImageFlops flops() {
    return ImageFlops.executed(model.configuration(), images);
  }

  /** Least seconds for an image that the peaks allow. */
  double leastSeconds(Peaks peaks) {
    return ImageFlops.leastSeconds(model.configuration(), images, precision, peaks) / images;
  }
}
