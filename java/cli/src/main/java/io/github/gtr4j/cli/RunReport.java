package io.github.gtr4j.cli;

import io.github.gtr4j.device.DeviceInfo;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.sampling.Sampler;
import io.github.gtr4j.schedule.FlopFormula;
import io.github.gtr4j.schedule.FlopFormula.Flops;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.Plan;
import java.io.PrintStream;
import java.math.BigInteger;
import java.util.Map;

/** What a run took: time, its shares, and floating-point operations beside those of MAR. */
final class RunReport {
  private final DeviceInfo device;
  private final Precision precision;
  private final Images images;
  private final SampleRun.Settings settings;
  private final SampleRun run;
  private final Flops flops;
  private final Flops marFlops;
  private final int marSteps;

  RunReport(MarModel model, Images images, SampleRun.Settings settings, SampleRun run) {
    this.device = model.device().info();
    this.precision = model.precision();
    this.images = images;
    this.settings = settings;
    this.run = run;
    FlopFormula formula = Sampler.flopFormula(model.configuration());
    boolean guided = isGuided();
    flops = formula.of(settings.plan(), guided).times(images.count());
    Plan mar = MarSchedule.defaults().plan(settings.plan().grid());
    marFlops = formula.of(mar, guided).times(images.count());
    marSteps = mar.steps().size();
  }

  private boolean isGuided() {
    return images.anyLabel() && settings.guidance().isActive();
  }

  DeviceInfo device() {
    return device;
  }

  Flops flops() {
    return flops;
  }

  void print(PrintStream out) {
    out.println(
        images.count()
            + (images.count() == 1 ? " image in " : " images in ")
            + Summary.seconds(run.seconds())
            + ", "
            + Summary.rate(run.imagesPerSecond())
            + " images/s on "
            + DevicesCommand.describe(device)
            + ", "
            + OptionValues.lowerCase(precision));
    out.println("device: " + device.reason());
    if (run.statistics().hasPhases()) {
      out.println(
          "time: backbone "
              + Summary.percent(run.statistics().backboneShare())
              + ", diffusion head "
              + Summary.percent(run.statistics().headShare()));
    }
    out.println(
        "work: "
            + Summary.flops(flops.total())
            + " (backbone "
            + Summary.flops(flops.backbone())
            + ", head "
            + Summary.flops(flops.head())
            + "), "
            + Summary.flops(flops.total() / run.seconds())
            + "/s");
    out.println(
        "MAR with "
            + marSteps
            + " steps: "
            + Summary.flops(marFlops.total())
            + ", "
            + Summary.rate(marFlops.total() / flops.total())
            + " times that");
  }

  Map<String, Object> json(String modelName) {
    return Json.object(
        "model", modelName,
        "device", DevicesCommand.json(device),
        "precision", OptionValues.lowerCase(precision),
        "images", images.count(),
        "firstImage", images.first(),
        "seed", new BigInteger(Long.toUnsignedString(images.seed())),
        "labels", images.labels(),
        "decodeSteps", settings.plan().steps().size(),
        "guidance",
            Json.object(
                "cfg", isGuided() ? settings.guidance().cfg() : 1.0,
                "schedule", isGuided() ? shape(settings.guidance()) : null),
        "temperature", settings.temperature(),
        "seconds", run.seconds(),
        "imagesPerSecond", run.imagesPerSecond(),
        "backboneShare", share(run.statistics().backboneShare()),
        "headShare", share(run.statistics().headShare()),
        "memory",
            Json.object(
                "weights", run.memory().weights(),
                "activations", run.memory().activations(),
                "scratch", run.memory().scratch(),
                "total", run.memory().total()),
        "flops", json(flops),
        "marFlops", json(marFlops),
        "marSteps", marSteps);
  }

  /** Null if the phases were not timed. */
  private Double share(double value) {
    return run.statistics().hasPhases() ? value : null;
  }

  private static String shape(Guidance guidance) {
    return OptionValues.lowerCase(guidance.shape());
  }

  private static Map<String, Object> json(Flops flops) {
    return Json.object("backbone", flops.backbone(), "head", flops.head(), "total", flops.total());
  }
}
