package io.github.gtr4j.cli;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.checkpoint.TensorInfo;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows what a checkpoint holds. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Shows a model's configuration, its tensors, and the memory that it takes.")
final class InfoCommand implements Callable<Integer> {
  /** The tensors that the precision bf16 keeps in bfloat16. */
  private static final Pattern BF16_WEIGHTS =
      Pattern.compile(
          "(.*blocks\\.\\d+\\.(attn\\.(qkv|proj)|mlp\\.fc[12])|decoder_embed"
              + "|diffloss\\.net\\.(res_blocks\\.\\d+\\.mlp\\.[02]|.*adaLN_modulation\\.1))"
              + "\\.weight");

  private final Terminal terminal;

  @Parameters(
      paramLabel = "MODEL",
      description = "Safetensors file, or 'fashion', the bundled model.")
  private String name;

  @Mixin private JsonOption json;

  InfoCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    MarConfiguration configuration = MarModel.readConfiguration(open());
    try (SafetensorsFile file = SafetensorsFile.open(open())) {
      List<TensorInfo> tensors = List.copyOf(file.tensors().values());
      if (json.isOn()) {
        Json.print(terminal.out(), document(configuration, tensors));
      } else {
        print(configuration, tensors);
      }
    }
    return ExitCode.OK;
  }

  private CheckpointSource open() {
    return ModelSource.open("MODEL", name);
  }

  private void print(MarConfiguration c, List<TensorInfo> tensors) {
    PrintStream out = terminal.out();
    row("grid", c.gridHeight() + "x" + c.gridWidth() + " tokens of " + c.channels() + " channels");
    row("tokenizer", c.tokenizer().map(Object::toString).orElse("VAE latents"));
    row(
        "transformer",
        c.width()
            + " wide, "
            + c.encoderBlocks()
            + " encoder and "
            + c.decoderBlocks()
            + " decoder blocks, "
            + c.heads()
            + " heads of "
            + c.headDim()
            + ", MLP "
            + c.mlpWidth()
            + ", buffer "
            + c.buffer());
    row("diffusion head", c.headBlocks() + " blocks, " + c.headWidth() + " wide");
    row(
        "classes",
        c.classes() + (c.classNames().isEmpty() ? "" : ": " + String.join(", ", c.classNames())));
    c.x0Clip().ifPresent(clip -> row("x0 clip", String.valueOf(clip)));
    c.weights().ifPresent(weights -> row("weights", weights.toString()));
    c.source().ifPresent(source -> row("source", source));
    row("parameters", String.format(Locale.ROOT, "%,d", c.parameters()));
    row("in the file", Summary.bytes(fileBytes(tensors)));
    row(
        "in memory",
        "f32 "
            + Summary.bytes(memoryBytes(tensors, false))
            + ", bf16 "
            + Summary.bytes(memoryBytes(tensors, true))
            + ", before packing");
    out.println();
    int width = tensors.stream().mapToInt(t -> t.name().length()).max().orElse(0);
    for (TensorInfo tensor : tensors) {
      out.printf(
          "%-" + width + "s  %-4s  %s%n",
          tensor.name(),
          tensor.type(),
          TensorInfo.shapeText(tensor.shape()));
    }
  }

  private void row(String label, String value) {
    terminal.out().printf("%-15s%s%n", label, value);
  }

  private static long fileBytes(List<TensorInfo> tensors) {
    return tensors.stream().mapToLong(TensorInfo::bytes).sum();
  }

  private static long memoryBytes(List<TensorInfo> tensors, boolean bf16) {
    return tensors.stream()
        .mapToLong(
            tensor ->
                tensor.elements()
                    * (bf16 && BF16_WEIGHTS.matcher(tensor.name()).matches()
                        ? Short.BYTES
                        : Float.BYTES))
        .sum();
  }

  private Map<String, Object> document(MarConfiguration c, List<TensorInfo> tensors) {
    return Json.object(
        "model", name,
        "grid", new int[] {c.gridHeight(), c.gridWidth()},
        "channels", c.channels(),
        "tokenizer", c.tokenizer().map(Object::toString).orElse(null),
        "buffer", c.buffer(),
        "width", c.width(),
        "encoderBlocks", c.encoderBlocks(),
        "decoderBlocks", c.decoderBlocks(),
        "heads", c.heads(),
        "mlpWidth", c.mlpWidth(),
        "headBlocks", c.headBlocks(),
        "headWidth", c.headWidth(),
        "classes", c.classes(),
        "classNames", c.classNames(),
        "x0Clip", c.x0Clip().isPresent() ? c.x0Clip().getAsDouble() : null,
        "weights", c.weights().map(Object::toString).orElse(null),
        "source", c.source().orElse(null),
        "parameters", c.parameters(),
        "fileBytes", fileBytes(tensors),
        "memoryBytes",
            Json.object("f32", memoryBytes(tensors, false), "bf16", memoryBytes(tensors, true)),
        "tensors",
            tensors.stream()
                .map(
                    t -> Json.object("name", t.name(), "type", t.type().name(), "shape", t.shape()))
                .toList());
  }
}
