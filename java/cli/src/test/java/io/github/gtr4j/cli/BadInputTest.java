package io.github.gtr4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.checkpoint.ElementType;
import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.checkpoint.SafetensorsWriter;
import io.github.gtr4j.checkpoint.TensorInfo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong: exit code 2, one line on stderr that says it, nothing on stdout, no file. */
class BadInputTest {
  @TempDir Path folder;

  private CommandRun refused(String message, Object... args) throws IOException {
    List<Path> before = files();
    CommandRun run = CommandRun.of(args);
    assertEquals(2, run.exitCode(), run.err());
    assertEquals(1, run.errorLines().size(), run.err());
    assertEquals("gtr: " + message, run.errorLines().get(0));
    assertEquals("", run.out());
    assertEquals(before, files());
    return run;
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  static Stream<Arguments> options() {
    String diffusion = "; allowed are whole numbers from 1 to 1000";
    String reals = "; allowed are finite numbers from 0 on";
    return Stream.of(
        // labels and counts
        Arguments.of(
            "--class",
            "'hat'; the model's classes are T-shirt, trouser, pullover, dress, coat, sandal,"
                + " shirt, sneaker, bag, ankle boot",
            "--class hat"),
        Arguments.of(
            "--labels",
            "10; the model has the classes 0 to 9, and none stands for no class",
            "--labels 3,10"),
        Arguments.of(
            "--labels",
            "-1; the model has the classes 0 to 9, and none stands for no class",
            "--labels -1"),
        Arguments.of(
            "--labels",
            "'1,,2'; allowed are whole numbers with commas between them",
            "--labels 1,,2"),
        Arguments.of(
            "--labels",
            "'0,none'; allowed are whole numbers with commas between them",
            "--labels 0,none"),
        Arguments.of("--class", "cannot be combined with --labels", "--class bag --labels 1"),
        Arguments.of("--count", "'0'; allowed are whole numbers from 1 to 10000", "--count 0"),
        Arguments.of("--count", "'x'; allowed are whole numbers from 1 to 10000", "--count x"),
        Arguments.of(
            "--seed",
            "'-1'; allowed are whole numbers from 0 to 18446744073709551615",
            "--seed -1"),
        Arguments.of(
            "--seed",
            "'18446744073709551616'; allowed are whole numbers from 0 to 18446744073709551615",
            "--seed 18446744073709551616"),
        Arguments.of(
            "--first-image",
            "'4294967296'; allowed are whole numbers from 0 to 4294967295",
            "--first-image 4294967296"),
        Arguments.of(
            "--first-image",
            "4294967295 with 2 images; allowed 0 to 4294967294",
            "--first-image 4294967295 --labels 1,2"),
        // schedules
        Arguments.of("--schedule", "'ddpm'; allowed are gtr, mar", "--schedule ddpm"),
        Arguments.of(
            "--steps",
            "33 steps for stage 3 of 3, which has 32 cells in a grid of 8x8; allowed 1 to 32",
            "--steps 12,3,33"),
        Arguments.of(
            "--steps",
            "6 stages, but a grid of 8x8 has cells for at most 5",
            "--steps 1,1,1,1,1,1"),
        Arguments.of(
            "--steps", "'0'; allowed are whole numbers from 1 to 2147483647", "--steps 12,0,1"),
        Arguments.of(
            "--steps", "1 stages; a GtR schedule has at least 2, such as 12,3,1", "--steps 64"),
        Arguments.of(
            "--steps",
            "'12,x'; allowed are whole numbers with commas between them",
            "--steps 12,x"),
        Arguments.of(
            "--steps",
            "'12,3,1'; the MAR schedule takes one number, such as 64",
            "--schedule mar --steps 12,3,1"),
        Arguments.of(
            "--steps",
            "65 decode steps, but a grid of 8x8 has 64 cells; allowed 1 to 64",
            "--schedule mar --steps 65"),
        Arguments.of(
            "--steps",
            "'0'; allowed are whole numbers from 1 to 1048576",
            "--schedule mar --steps 0"),
        Arguments.of("--t-max", "'0'" + diffusion, "--t-max 0"),
        Arguments.of("--t-max", "'1001'" + diffusion, "--t-max 1001"),
        Arguments.of("--t-min", "'0'" + diffusion, "--t-min 0"),
        Arguments.of("--t-rec", "'1001'" + diffusion, "--t-rec 1001"),
        Arguments.of("--t-detail", "'-5'" + diffusion, "--t-detail -5"),
        Arguments.of(
            "--diffusion-steps", "'1001'" + diffusion, "--schedule mar --diffusion-steps 1001"),
        Arguments.of("--t-min", "51; allowed 1 to 50, which is --t-max", "--t-min 51"),
        Arguments.of("--t-max", "19; allowed 20, which is --t-min, to 1000", "--t-max 19"),
        Arguments.of(
            "--detail-fraction",
            "'1.5'; allowed are finite numbers from 0 to 1",
            "--detail-fraction 1.5"),
        Arguments.of(
            "--detail-fraction",
            "'-0.1'; allowed are finite numbers from 0 to 1",
            "--detail-fraction -0.1"),
        Arguments.of(
            "--detail-fraction",
            "'NaN'; allowed are finite numbers from 0 to 1",
            "--detail-fraction NaN"),
        Arguments.of(
            "--diffusion-steps",
            "is an option of --schedule mar; gtr has --t-max, --t-min, --t-rec and --t-detail",
            "--diffusion-steps 100"),
        Arguments.of(
            "--t-max",
            "is an option of --schedule gtr; mar has --diffusion-steps",
            "--schedule mar --t-max 50"),
        Arguments.of(
            "--t-min",
            "is an option of --schedule gtr; mar has --diffusion-steps",
            "--schedule mar --t-min 20"),
        Arguments.of(
            "--t-rec",
            "is an option of --schedule gtr; mar has --diffusion-steps",
            "--schedule mar --t-rec 20"),
        Arguments.of(
            "--detail-fraction",
            "is an option of --schedule gtr; mar has --diffusion-steps",
            "--schedule mar --detail-fraction 0"),
        Arguments.of(
            "--t-detail",
            "is an option of --schedule gtr; mar has --diffusion-steps",
            "--schedule mar --t-detail 50"),
        // guidance
        Arguments.of("--cfg", "'-1'" + reals, "--cfg -1"),
        Arguments.of("--cfg", "'NaN'" + reals, "--cfg NaN"),
        Arguments.of("--cfg", "'Infinity'" + reals, "--cfg Infinity"),
        Arguments.of(
            "--cfg", "'1e39'; allowed are finite numbers from 0 to 3.4028235E38", "--cfg 1e39"),
        Arguments.of("--cfg", "'2f'" + reals, "--cfg 2f"),
        Arguments.of("--cfg", "''" + reals, "--cfg="),
        Arguments.of(
            "--cfg-schedule", "'cosine'; allowed are linear, constant", "--cfg-schedule cosine"),
        Arguments.of("--temperature", "'-0.5'" + reals, "--temperature -0.5"),
        Arguments.of("--temperature", "'nan'" + reals, "--temperature nan"),
        Arguments.of("--temperature", "'inf'" + reals, "--temperature inf"),
        // what runs
        Arguments.of("--precision", "'f64'; allowed are f32, bf16", "--precision f64"),
        Arguments.of(
            "--device",
            "'tpu'; allowed are auto, cpu, cuda and cuda:0, cuda:1, ...",
            "--device tpu"),
        Arguments.of(
            "--device",
            "'cuda:'; allowed are auto, cpu, cuda and cuda:0, cuda:1, ...",
            "--device cuda:"),
        Arguments.of(
            "--device",
            "'cuda:-1'; allowed are auto, cpu, cuda and cuda:0, cuda:1, ...",
            "--device cuda:-1"),
        Arguments.of(
            "--device",
            "'cpu:1'; allowed are auto, cpu, cuda and cuda:0, cuda:1, ...",
            "--device cpu:1"),
        Arguments.of(
            "--threads", "is for the CPU; --device is cuda:1", "--threads 2 --device cuda:1"),
        Arguments.of("--threads", "'0'; allowed are whole numbers from 1 to 1024", "--threads 0"),
        Arguments.of(
            "--threads", "'1025'; allowed are whole numbers from 1 to 1024", "--threads 1025"),
        Arguments.of("--batch", "'0'; allowed are whole numbers from 1 to 65536", "--batch 0"));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource("options")
  void option(String option, String problem, String args) throws IOException {
    List<Object> all = new ArrayList<>(List.of("sample", "--out", folder.resolve("a.png")));
    all.addAll(List.of("--latents", folder.resolve("a.safetensors")));
    all.addAll(Arrays.asList((Object[]) args.split(" ")));
    refused(option + ": " + problem, all.toArray());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sample --foo|Unknown option: '--foo'; see gtr sample --help",
        "sample --steps|Missing required parameter for option '--steps' (N[,N...]);"
            + " see gtr sample --help",
        "sample x|Unmatched argument at index 1: 'x'; see gtr sample --help",
        "sample --seed 1 --seed 2|option '--seed' (N) should be specified only once;"
            + " see gtr sample --help",
        "smaple|Unmatched argument at index 0: 'smaple'; see gtr --help",
        "info|Missing required parameter: 'MODEL'; see gtr info --help",
        "plan --grid 0x4|--grid: '0x4'; allowed are HEIGHTxWIDTH from 1x1 on, with at most"
            + " 1048576 cells",
        "plan --grid 4|--grid: '4'; allowed are HEIGHTxWIDTH from 1x1 on, with at most 1048576"
            + " cells",
        "plan --grid 9999x9999|--grid: '9999x9999'; allowed are HEIGHTxWIDTH from 1x1 on, with at"
            + " most 1048576 cells",
        "plan --grid 1x1|--steps: a grid of 1x1 has no second stage for GtR; use the MAR schedule",
        "plan --grid 8x8 --model fashion|--grid: cannot be combined with --model",
        "plan --color red|--color: 'red'; allowed are auto, always, never",
        "plan --seed x|--seed: 'x'; allowed are whole numbers from 0 to 18446744073709551615",
        "compare --mar-steps 65|--mar-steps: 65 decode steps, but a grid of 8x8 has 64 cells;"
            + " allowed 1 to 64",
        "compare --mar-steps 1,2|--mar-steps: '1,2'; the MAR schedule takes one number, such as 64",
        "compare --steps 64|--steps: 1 stages; a GtR schedule has at least 2, such as 12,3,1",
        "compare --labels 77|--labels: 77; the model has the classes 0 to 9, and none stands for"
            + " no class",
      })
  void commands(String args, String message) throws IOException {
    refused(message, (Object[]) args.split(" "));
  }

  @Test
  void deviceThatDoesNotExist() throws IOException {
    CommandRun run = CommandRun.of("sample", "--device", "cuda", "--out", folder.resolve("a.png"));
    assertEquals(2, run.exitCode());
    assertEquals(1, run.errorLines().size(), run.err());
    assertTrue(run.err().startsWith("gtr: --device: "), run.err());
    assertEquals(List.of(), files());
  }

  @ParameterizedTest
  @ValueSource(strings = {"sample", "compare", "plan"})
  void unwritableOutput(String command) throws IOException {
    Path absent = folder.resolve("absent");
    refused(
        "--out: "
            + absent
            + "/a.png: cannot be written: the directory "
            + absent
            + " does not exist",
        command,
        "--out",
        absent.resolve("a.png"));
    refused(
        "--out: " + folder + ": cannot be written: it is a directory", command, "--out", folder);
    refused(
        "--out: /dev/null: cannot be written: it is not a regular file",
        command,
        "--out",
        "/dev/null");
    refused("--out: '' is not a file name", command, "--out=");
    Path tooLong = folder.resolve("a".repeat(256));
    refused(
        "--out: " + tooLong + ": cannot be written: File name too long", command, "--out", tooLong);
  }

  @Test
  void unwritableLatents() throws IOException {
    Path absent = folder.resolve("absent");
    refused(
        "--latents: "
            + absent
            + "/l: cannot be written: the directory "
            + absent
            + " does not exist",
        "sample",
        "--out",
        folder.resolve("a.png"),
        "--latents",
        absent.resolve("l"));
    Path both = folder.resolve("both");
    refused(
        "--latents: " + both + " is the file of --out too",
        "sample",
        "--out",
        both,
        "--latents",
        both);
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder);
    refused(
        "--latents: " + link.resolve("both") + " is the file of --out too",
        "sample",
        "--out",
        both,
        "--latents",
        link.resolve("both"));
  }

  @Test
  void textWithLineBreaksGivesOneLine() throws IOException {
    refused(
        "--class: 'a?b'; the model's classes are T-shirt, trouser, pullover, dress, coat, sandal,"
            + " shirt, sneaker, bag, ankle boot",
        "sample",
        "--class",
        "a\nb",
        "--out",
        folder.resolve("a.png"));
  }

  @Test
  void outputThatCannotBeWritten() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        GtrCli.run(
            new Terminal(new PrintStream(full), new PrintStream(err, true, UTF_8), false), "plan");
    assertEquals(1, exitCode);
    assertEquals("gtr: standard output cannot be written\n", err.toString(UTF_8));
  }

  // ---- models ----

  /** A copy of a golden model in which one tensor or the metadata is changed. */
  private Path model(Change change) throws IOException {
    Path path = folder.resolve("model.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile tiny =
        SafetensorsFile.open(
            CheckpointSource.ofResource(BadInputTest.class, "/golden/tiny.safetensors"))) {
      change.metadata(tiny.metadata().get("heads"), writer);
      for (TensorInfo tensor : tiny.tensors().values()) {
        change.tensor(tensor, tiny.readFloats(tensor.name()), writer);
      }
    }
    writer.write(path);
    return path;
  }

  /** What differs from the golden model. */
  private interface Change {
    default void metadata(String heads, SafetensorsWriter writer) {
      writer.metadata("heads", heads);
    }

    default void tensor(TensorInfo tensor, float[] values, SafetensorsWriter writer) {
      writer.floats(tensor.name(), values, tensor.shape());
    }
  }

  private void refusedModel(Path path, String part) throws IOException {
    List<Path> before = files();
    for (String command : new String[] {"sample", "plan", "info"}) {
      CommandRun run =
          command.equals("info")
              ? CommandRun.of(command, path)
              : CommandRun.of(command, "--model", path, "--out", folder.resolve("a.png"));
      assertEquals(2, run.exitCode(), run.err());
      assertEquals(1, run.errorLines().size(), run.err());
      assertTrue(run.err().startsWith("gtr: " + path + ": "), run.err());
      assertTrue(run.err().contains(part), run.err());
      assertEquals("", run.out());
      assertEquals(before, files());
    }
  }

  @Test
  void absentModel() throws IOException {
    refusedModel(folder.resolve("absent.safetensors"), "no such file");
  }

  @Test
  void modelWithoutAName() throws IOException {
    refused("--model: '' is not a file name", "sample", "--model=");
    refused("MODEL: '' is not a file name", "info", "");
  }

  @Test
  void directoryAsModel() throws IOException {
    refusedModel(folder, "is a directory, not a checkpoint file");
  }

  @Test
  void truncatedModels() throws IOException {
    Path whole = model(new Change() {});
    byte[] bytes = Files.readAllBytes(whole);
    for (int length : new int[] {0, 7, 100, bytes.length / 2, bytes.length - 1}) {
      refusedModel(Files.write(whole, Arrays.copyOf(bytes, length)), "");
    }
  }

  @Test
  void corruptModel() throws IOException {
    Path path = model(new Change() {});
    byte[] bytes = Files.readAllBytes(path);
    bytes[8] = 'x';
    refusedModel(Files.write(path, bytes), "the header is not valid JSON");
  }

  @Test
  void missingTensor() throws IOException {
    refusedModel(
        model(
            new Change() {
              @Override
              public void tensor(TensorInfo tensor, float[] values, SafetensorsWriter writer) {
                if (!tensor.name().equals("mask_token")) {
                  Change.super.tensor(tensor, values, writer);
                }
              }
            }),
        "mask_token");
  }

  @Test
  void misshapenTensor() throws IOException {
    refusedModel(
        model(
            new Change() {
              @Override
              public void tensor(TensorInfo tensor, float[] values, SafetensorsWriter writer) {
                if (tensor.name().equals("decoder_norm.bias")) {
                  writer.floats(tensor.name(), values, 8, 8);
                } else {
                  Change.super.tensor(tensor, values, writer);
                }
              }
            }),
        "decoder_norm.bias");
  }

  @Test
  void wrongType() throws IOException {
    refusedModel(
        model(
            new Change() {
              @Override
              public void tensor(TensorInfo tensor, float[] values, SafetensorsWriter writer) {
                if (tensor.name().equals("fake_latent")) {
                  writer.bytes(
                      tensor.name(), ElementType.U8, new byte[values.length], tensor.shape());
                } else {
                  Change.super.tensor(tensor, values, writer);
                }
              }
            }),
        "fake_latent");
  }

  @ParameterizedTest
  @CsvSource({"heads,x", "heads,7", "grid,7x9", "tokenizer,patch:4", "x0_clip,NaN", "classes,[1]"})
  void malformedMetadata(String key, String value) throws IOException {
    refusedModel(
        model(
            new Change() {
              @Override
              public void metadata(String heads, SafetensorsWriter writer) {
                if (!key.equals("heads")) {
                  writer.metadata("heads", heads);
                }
                writer.metadata(key, value);
              }
            }),
        key);
  }

  @Test
  void latentModelWithoutLatentsOption() throws IOException {
    Path path = model(new Change() {});
    refused(
        "no picture: the model's latents need a VAE decoder; write latents with --latents FILE",
        "sample",
        "--model",
        path,
        "--out",
        folder.resolve("a.png"));
    refused(
        "no picture: the model's latents need a VAE decoder",
        "compare",
        "--model",
        path,
        "--out",
        folder.resolve("a.png"));
  }

  @Test
  void modelIsNotOverwritten() throws IOException {
    Path path = model(new Change() {});
    byte[] bytes = Files.readAllBytes(path);
    refused(
        "--latents: " + path + " is the model's own file",
        "sample",
        "--model",
        path,
        "--latents",
        path);
    refused("--out: " + path + " is the model's own file", "plan", "--model", path, "--out", path);
    assertArrayEquals(bytes, Files.readAllBytes(path));
  }

  @Test
  void classOfAModelWithoutNames() throws IOException {
    Path path = model(new Change() {});
    refused(
        "--class: the model does not name its classes; use --labels 0 to 9",
        "sample",
        "--model",
        path,
        "--class",
        "bag",
        "--latents",
        folder.resolve("l"));
  }
}
