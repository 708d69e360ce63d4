package io.github.gtr4j.cli;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.image.ContactSheet;
import io.github.gtr4j.image.PngWriter;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.sampling.SamplerOptions;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.Plan;
import io.github.gtr4j.schedule.TokenGrid;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws the same images under both schedules. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Draws the same images under MAR and under GtR, side by side, and times both.")
final class CompareCommand implements Callable<Integer> {
  private static final int IMAGES_PER_CLASS = 1;
  private static final String DEFAULT_PICTURE = "gtr-compare.png";

  private final Terminal terminal;

  @Mixin private ModelOption model;
  @Mixin private ImageOptions imageOptions;

  @Option(
      names = "--steps",
      paramLabel = "N,N[,N...]",
      description = "GtR: decode steps of each stage (default 12,3,1).")
  private String steps;

  @Mixin private GtrOptions gtr;

  @Option(
      names = "--mar-steps",
      paramLabel = "N",
      description = "MAR: decode steps (default 64, or the number of tokens if less).")
  private String marSteps;

  @Option(
      names = "--diffusion-steps",
      paramLabel = "N",
      description = "MAR: diffusion steps of each token (default 100).")
  private String diffusionSteps;

  @Mixin private GuidanceOptions guidanceOptions;
  @Mixin private RunOptions runOptions;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      defaultValue = DEFAULT_PICTURE,
      description = "PNG file to write (default " + DEFAULT_PICTURE + ").")
  private String out;

  @Mixin private JsonOption json;

  CompareCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Precision precision = runOptions.precision();
    DeviceOptions deviceOptions = runOptions.deviceOptions();
    MarConfiguration configuration = model.configuration();
    Images images = imageOptions.resolve(configuration, IMAGES_PER_CLASS);
    TokenGrid grid = Pictures.grid(configuration);
    Plan gtrPlan = ScheduleOptions.plan(gtr.schedule(steps), grid, "--steps");
    Plan marPlan =
        ScheduleOptions.plan(
            ScheduleOptions.marSchedule("--mar-steps", marSteps, diffusionSteps),
            grid,
            "--mar-steps");
    Guidance guidance = guidanceOptions.guidance(configuration);
    double temperature = guidanceOptions.temperature();
    SamplerOptions sampler = runOptions.samplerOptions();
    Pictures pictures =
        Pictures.of(configuration)
            .orElseThrow(
                () -> new BadInputException("no picture: " + Pictures.reason(configuration)));
    pictures.checkCount(images.count(), 2);
    Path path = OutputFile.check("--out", out, model);

    Side mar;
    Side fast;
    try (Device device = RunOptions.open(deviceOptions);
        MarModel loaded = MarModel.load(device, model.open(), precision)) {
      warmUp(loaded, images, guidance, sampler);
      mar =
          draw(
              "MAR",
              loaded,
              images,
              new SampleRun.Settings(marPlan, guidance, temperature, sampler));
      fast =
          draw(
              "GtR",
              loaded,
              images,
              new SampleRun.Settings(gtrPlan, guidance, temperature, sampler));
    }
    PngWriter.write(
        ContactSheet.sideBySide(
            List.of(sheet(pictures, images, mar), sheet(pictures, images, fast))),
        path);
    if (json.isOn()) {
      Json.print(
          terminal.out(),
          Json.object(
              "mar", mar.report().json(model.name()),
              "gtr", fast.report().json(model.name()),
              "speedup", mar.run().seconds() / fast.run().seconds(),
              "flopRatio", mar.report().flops().total() / fast.report().flops().total(),
              "picture", path.toString()));
    } else {
      print(mar, fast);
      terminal.out().println("picture: " + path);
    }
    return ExitCode.OK;
  }

  /** The images under one schedule. */
  private record Side(String name, int steps, SampleRun run, RunReport report) {}

  private Side draw(String name, MarModel loaded, Images images, SampleRun.Settings settings)
      throws InterruptedException {
    int steps = settings.plan().steps().size();
    Progress progress =
        json.isOn()
            ? Progress.silent()
            : Progress.show(terminal, name, (long) images.count() * steps);
    SampleRun run = SampleRun.run(loaded, images, settings, progress, memory -> {});
    return new Side(name, steps, run, new RunReport(loaded, images, settings, run));
  }

  /** Touches all weights and starts all threads, so that the first schedule is not charged. */
  private static void warmUp(
      MarModel loaded, Images images, Guidance guidance, SamplerOptions sampler)
      throws InterruptedException {
    Plan plan =
        MarSchedule.builder()
            .steps(1)
            .diffusionSteps(1)
            .build()
            .plan(Pictures.grid(loaded.configuration()));
    Images one = new Images(images.labels(), images.names(), 1, 0, 0);
    SampleRun.run(
        loaded,
        one,
        new SampleRun.Settings(plan, guidance, 1, sampler),
        Progress.silent(),
        memory -> {});
  }

  private static ContactSheet sheet(Pictures pictures, Images images, Side side) {
    return pictures
        .sheet(images, side.run().results())
        .columns(Math.max(1, (images.columns() + 1) / 2))
        .heading(
            side.name()
                + ", "
                + side.steps()
                + (side.steps() == 1 ? " step, " : " steps, ")
                + Summary.seconds(side.run().seconds()));
  }

  private static String share(Side side, double value) {
    return side.run().statistics().hasPhases() ? Summary.percent(value) : "-";
  }

  private void print(Side mar, Side fast) {
    PrintStream to = terminal.out();
    to.println("schedule  steps       time  images/s  backbone  head        work");
    for (Side side : List.of(mar, fast)) {
      to.printf(
          "%-8s  %5d  %9s  %8s  %8s  %4s  %10s%n",
          side.name(),
          side.steps(),
          Summary.seconds(side.run().seconds()),
          Summary.rate(side.run().imagesPerSecond()),
          share(side, side.run().statistics().backboneShare()),
          share(side, side.run().statistics().headShare()),
          Summary.flops(side.report().flops().total()));
    }
    to.println("device: " + mar.report().device().reason());
    to.println(
        "GtR takes "
            + Summary.rate(mar.run().seconds() / fast.run().seconds())
            + " times less time and "
            + Summary.rate(mar.report().flops().total() / fast.report().flops().total())
            + " times less work.");
  }
}
