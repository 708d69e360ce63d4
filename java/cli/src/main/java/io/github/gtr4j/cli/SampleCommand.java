package io.github.gtr4j.cli;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.image.PngWriter;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.Plan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Draws images. */
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Draws images and writes them as a labelled contact sheet.")
final class SampleCommand implements Callable<Integer> {
  private static final int IMAGES_PER_CLASS = 4;
  private static final String DEFAULT_PICTURE = "gtr.png";

  private final Terminal terminal;

  @Mixin private ModelOption model;
  @Mixin private ImageOptions imageOptions;
  @Mixin private ScheduleOptions scheduleOptions;
  @Mixin private GuidanceOptions guidanceOptions;
  @Mixin private RunOptions runOptions;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "PNG file to write (default " + DEFAULT_PICTURE + ").")
  private String out;

  @Option(
      names = "--latents",
      paramLabel = "FILE",
      description =
          "Safetensors file to write: latents, and order, decode step and diffusion steps of each"
              + " token.")
  private String latents;

  @Mixin private JsonOption json;

  SampleCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    // Everything that can be wrong with the options is found before a device is opened.
    Precision precision = runOptions.precision();
    DeviceOptions deviceOptions = runOptions.deviceOptions();
    MarConfiguration configuration = model.configuration();
    Images images = imageOptions.resolve(configuration, IMAGES_PER_CLASS);
    Plan plan =
        ScheduleOptions.plan(scheduleOptions.schedule(), Pictures.grid(configuration), "--steps");
    SampleRun.Settings settings =
        new SampleRun.Settings(
            plan,
            guidanceOptions.guidance(configuration),
            guidanceOptions.temperature(),
            runOptions.samplerOptions());
    Path latentsPath = null;
    if (latents != null) {
      LatentsFile.checkCount(configuration, images.count());
      latentsPath = OutputFile.check("--latents", latents, model);
    }
    Optional<Pictures> pictures = Pictures.of(configuration);
    Path picturePath = picturePath(pictures, images, configuration, latentsPath);

    SampleRun run;
    RunReport report;
    try (Device device = RunOptions.open(deviceOptions);
        MarModel loaded = MarModel.load(device, model.open(), precision)) {
      Progress progress =
          json.isOn()
              ? Progress.silent()
              : Progress.show(terminal, "sampling", (long) images.count() * plan.steps().size());
      run =
          SampleRun.run(
              loaded,
              images,
              settings,
              progress,
              memory -> {
                if (!json.isOn()) {
                  terminal.out().println(Summary.memory(memory));
                }
              });
      report = new RunReport(loaded, images, settings, run);
    }
    if (latentsPath != null) {
      LatentsFile.write(latentsPath, images, run.results());
    }
    if (picturePath != null) {
      PngWriter.write(pictures.orElseThrow().sheet(images, run.results()).draw(), picturePath);
    }
    if (json.isOn()) {
      Json.print(terminal.out(), document(report, picturePath, latentsPath));
    } else {
      report.print(terminal.out());
      if (picturePath != null) {
        terminal.out().println("picture: " + picturePath);
      }
      if (latentsPath != null) {
        terminal.out().println("latents: " + latentsPath);
      }
    }
    if (pictures.isEmpty()) {
      terminal.err().println("gtr: no picture: " + Pictures.reason(configuration));
    }
    return ExitCode.OK;
  }

  /** Where the picture goes; null if the model's latents are no pixels. */
  private Path picturePath(
      Optional<Pictures> pictures, Images images, MarConfiguration configuration, Path latents)
      throws IOException {
    if (pictures.isEmpty()) {
      if (latents == null) {
        throw new BadInputException(
            "no picture: "
                + Pictures.reason(configuration)
                + "; write latents with --latents FILE");
      }
      return null;
    }
    pictures.get().checkCount(images.count(), 1);
    Path path = OutputFile.check("--out", out == null ? DEFAULT_PICTURE : out, model);
    if (latents != null && OutputFile.isSame(path, latents)) {
      throw new BadInputException("--latents", latents + " is the file of --out too");
    }
    return path;
  }

  private Map<String, Object> document(RunReport report, Path picture, Path latents) {
    Map<String, Object> document = report.json(model.name());
    document.put("schedule", OptionValues.lowerCase(scheduleOptions.kind()));
    document.put("picture", picture == null ? null : picture.toString());
    document.put("latents", latents == null ? null : latents.toString());
    return document;
  }
}
