package io.github.gtr4j.cli;

import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.schedule.Guidance;
import picocli.CommandLine.Option;

/** How strongly images follow their class, and how much they vary. */
final class GuidanceOptions {
  private static final double PATCH_CFG = 2;
  private static final double LATENT_CFG = 3;

  @Option(
      names = "--cfg",
      paramLabel = "X",
      description =
          "Classifier-free guidance; 1 is none (default: 2 for models of patches, else 3).")
  private String cfg;

  @Option(
      names = "--cfg-schedule",
      paramLabel = "linear|constant",
      defaultValue = "linear",
      description = "Whether guidance grows with the share of decoded tokens (default: linear).")
  private String shape;

  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "1",
      description = "Factor of the noise of diffusion steps (default 1).")
  private String temperature;

  Guidance guidance(MarConfiguration model) {
    double scale = model.tokenizer().isPresent() ? PATCH_CFG : LATENT_CFG;
    if (cfg != null) {
      scale = OptionValues.real("--cfg", cfg, Float.MAX_VALUE);
    }
    return Guidance.of(OptionValues.choice("--cfg-schedule", shape, Guidance.Shape.class), scale);
  }

  double temperature() {
    return OptionValues.real("--temperature", temperature, Float.MAX_VALUE);
  }
}
