package io.github.gtr4j.sampling;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.kernel.FrequencyEnergy;
import io.github.gtr4j.kernel.TopFraction;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.model.WorkspaceSize;
import java.util.Collection;

/**
 * The largest decode step that requests can make together, whatever steps of theirs coincide.
 *
 * @param images images of the batch
 * @param sequences their sequences, unconditional halves included
 * @param rows their tokens, unconditional halves not included
 * @param guided whether any image is guided
 */
record StepSize(int images, int sequences, int rows, boolean guided) {

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
    return new StepSize(images, images + (int) Math.min(images, guided), rows, guided > 0);
  }

  /** Room for it in the model's part; there are as many unconditional rows as others, if any. */
  WorkspaceSize workspace() {
    return new WorkspaceSize(images, sequences, guided ? 2 * rows : rows);
  }

  /** Scratch that frequency-weighted selection among so many rows takes. */
  static long selectionScratchBytes(MarModel model, int rows) {
    Device device = model.device();
    return Math.max(
        FrequencyEnergy.scratchBytes(device, rows, model.configuration().width()),
        TopFraction.scratchBytes(device, rows));
  }
}
