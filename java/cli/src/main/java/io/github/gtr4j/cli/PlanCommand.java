package io.github.gtr4j.cli;

import io.github.gtr4j.image.PngWriter;
import io.github.gtr4j.image.ScheduleChart;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.sampling.Sampler;
import io.github.gtr4j.schedule.DecodeOrder;
import io.github.gtr4j.schedule.DecodeStep;
import io.github.gtr4j.schedule.FlopFormula.Flops;
import io.github.gtr4j.schedule.Plan;
import io.github.gtr4j.schedule.TokenGrid;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows a schedule. */
@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Shows which tokens a schedule decodes when, and with how many diffusion steps.")
final class PlanCommand implements Callable<Integer> {
  private static final Pattern GRID = Pattern.compile("([0-9]{1,7})x([0-9]{1,7})");
  private static final int MAX_TEXT_COLUMNS = 64;

  /** Which text gets colours. */
  enum Colour {
    /** Text on a terminal, unless the environment variable NO_COLOR is set. */
    AUTO,
    /** Any text. */
    ALWAYS,
    /** None. */
    NEVER
  }

  private final Terminal terminal;

  @Mixin private ModelOption model;
  @Mixin private ScheduleOptions schedule;

  @Option(
      names = "--grid",
      paramLabel = "HxW",
      description = "Token grid, instead of the model's, such as 16x16.")
  private String gridText;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the decode order that is shown (default 0).")
  private String seed;

  @Option(
      names = "--first-image",
      paramLabel = "N",
      defaultValue = "0",
      description = "Index of the image whose decode order is shown (default 0).")
  private String image;

  @Option(
      names = "--color",
      paramLabel = "auto|always|never",
      defaultValue = "auto",
      description = "Colours in text (default: on a terminal).")
  private String colour;

  @Option(names = "--out", paramLabel = "FILE", description = "Also draw the grid as a PNG file.")
  private String out;

  @Mixin private JsonOption json;

  PlanCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException {
    Colour colours = OptionValues.choice("--color", colour, Colour.class);
    if (gridText != null && model.isGiven()) {
      throw new BadInputException("--grid", "cannot be combined with --model");
    }
    MarConfiguration configuration = gridText == null ? model.configuration() : null;
    TokenGrid grid = gridText == null ? Pictures.grid(configuration) : parseGrid(gridText);
    Plan plan = ScheduleOptions.plan(schedule.schedule(), grid, "--steps");
    DecodeOrder order =
        plan.order(
            OptionValues.unsigned("--seed", seed),
            OptionValues.integer("--first-image", image, 0, (1L << 32) - 1));
    Path picture = out == null ? null : OutputFile.check("--out", out, model);
    if (picture != null) {
      PngWriter.write(ScheduleChart.draw(order), picture);
    }
    Flops flops = configuration == null ? null : Sampler.flopFormula(configuration).of(plan, false);
    if (json.isOn()) {
      Json.print(terminal.out(), document(order, flops, picture));
    } else {
      boolean coloured = colours == Colour.ALWAYS || colours == Colour.AUTO && terminal.coloured();
      print(order, flops, picture, coloured);
    }
    return ExitCode.OK;
  }

  private static TokenGrid parseGrid(String text) {
    Matcher matcher = GRID.matcher(text);
    if (matcher.matches()) {
      long height = Long.parseLong(matcher.group(1));
      long width = Long.parseLong(matcher.group(2));
      if (height >= 1 && width >= 1 && height * width <= TokenGrid.MAX_CELLS) {
        return new TokenGrid((int) height, (int) width);
      }
    }
    throw new BadInputException(
        "--grid",
        "'"
            + text
            + "'; allowed are HEIGHTxWIDTH from 1x1 on, with at most "
            + TokenGrid.MAX_CELLS
            + " cells");
  }

  private void print(DecodeOrder order, Flops flops, Path picture, boolean coloured) {
    PrintStream to = terminal.out();
    Plan plan = order.plan();
    to.println("stage  step  tokens  diffusion steps");
    for (DecodeStep step : plan.steps()) {
      String detail =
          step.detailTokens() == 0
              ? ""
              : "; "
                  + step.detailDiffusionSteps()
                  + " for the "
                  + step.detailTokens()
                  + " with the most detail";
      to.printf(
          "%5d  %4d  %6d  %d%s%s%n",
          step.stage() + 1,
          step.index() + 1,
          step.tokens(),
          step.diffusionSteps(),
          detail,
          step.reconstruction() ? " (reconstruction)" : "");
    }
    to.printf(
        "total  %4d  %6d  %d in all%n",
        plan.steps().size(), plan.cells().size(), plan.totalDiffusionSteps());
    to.println();
    printGrid(order, coloured);
    if (flops != null) {
      to.println();
      to.println("per image without guidance: " + Summary.flops(flops.total()));
    }
    if (picture != null) {
      to.println("picture: " + picture);
    }
  }

  private void printGrid(DecodeOrder order, boolean coloured) {
    PrintStream to = terminal.out();
    TokenGrid grid = order.plan().grid();
    if (grid.width() > MAX_TEXT_COLUMNS) {
      to.println("The grid " + grid + " is too wide for text; --out draws it.");
      return;
    }
    int steps = order.plan().steps().size();
    int width = String.valueOf(steps).length() + 1;
    int[] step = order.stepOfCell();
    to.println("decode step of each token:");
    for (int row = 0; row < grid.height(); row++) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < grid.width(); column++) {
        int index = step[grid.cell(row, column)];
        String text = String.format(Locale.ROOT, "%" + width + "d", index + 1);
        line.append(coloured ? colour(text + " ", ScheduleChart.colour(index, steps)) : text);
      }
      to.println(line);
    }
  }

  private static String colour(String text, int rgb) {
    String ink = ScheduleChart.isLight(rgb) ? "30" : "97";
    return "\u001b["
        + ink
        + ";48;2;"
        + (rgb >> 16)
        + ";"
        + (rgb >> 8 & 0xFF)
        + ";"
        + (rgb & 0xFF)
        + "m"
        + text
        + "\u001b[0m";
  }

  private Map<String, Object> document(DecodeOrder order, Flops flops, Path picture) {
    Plan plan = order.plan();
    Map<String, Object> document =
        Json.object(
            "grid", new int[] {plan.grid().height(), plan.grid().width()},
            "schedule", OptionValues.lowerCase(schedule.kind()),
            "steps", plan.steps().stream().map(PlanCommand::json).toList(),
            "totalDiffusionSteps", plan.totalDiffusionSteps(),
            "order", order.toArray(),
            "decodeStep", order.stepOfCell());
    if (flops != null) {
      document.put("flopsPerImage", flops.total());
    }
    if (picture != null) {
      document.put("picture", picture.toString());
    }
    return document;
  }

  private static Map<String, Object> json(DecodeStep step) {
    return Json.object(
        "stage", step.stage(),
        "step", step.index(),
        "reconstruction", step.reconstruction(),
        "tokens", step.tokens(),
        "known", step.known(),
        "diffusionSteps", step.diffusionSteps(),
        "detailTokens", step.detailTokens(),
        "detailDiffusionSteps", step.detailDiffusionSteps());
  }
}
