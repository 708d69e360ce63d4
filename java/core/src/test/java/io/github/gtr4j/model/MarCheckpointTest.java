package io.github.gtr4j.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.CheckpointException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MarCheckpointTest {
  private static final MarConfiguration SMALL =
      MarConfiguration.builder()
          .grid(3, 4)
          .channels(4)
          .buffer(5)
          .width(32)
          .blocks(2, 3)
          .heads(4)
          .mlpWidth(96)
          .head(2, 24)
          .classes(2)
          .build();

  private static Map<String, long[]> shapes(MarConfiguration configuration) {
    Map<String, long[]> shapes = new HashMap<>();
    MarTensors.of(configuration).forEach(entry -> shapes.put(entry.name(), entry.shape()));
    return shapes;
  }

  private static Map<String, String> metadata(String... more) {
    Map<String, String> metadata = new HashMap<>(Map.of("heads", "4", "grid", "3x4"));
    for (int i = 0; i < more.length; i += 2) {
      metadata.put(more[i], more[i + 1]);
    }
    return metadata;
  }

  private static CheckpointException refused(
      Map<String, long[]> shapes, Map<String, String> metadata) {
    return assertThrows(
        CheckpointException.class, () -> MarCheckpoint.configuration(shapes, metadata));
  }

  @Test
  void readsEverySizeOffTheShapes() {
    MarConfiguration read = MarCheckpoint.configuration(shapes(SMALL), metadata());
    assertEquals(SMALL.toString(), read.toString());
    assertEquals(5, read.buffer());
    assertEquals(96, read.mlpWidth());
    assertEquals(3, read.decoderBlocks());
    assertEquals(OptionalDouble.empty(), read.x0Clip());
    assertTrue(read.tokenizer().isEmpty());
    assertTrue(read.weights().isEmpty());
    assertTrue(read.source().isEmpty());
    assertTrue(read.classNames().isEmpty());
  }

  @Test
  void readsTheMetadataAndIgnoresUnknownKeys() {
    MarConfiguration read =
        MarCheckpoint.configuration(
            shapes(SMALL),
            metadata(
                "tokenizer", "patch:2x2:1",
                "classes", "[\"cat\", \"dog\"]",
                "x0_clip", "1.5",
                "weights", "raw",
                "source", "somewhere",
                "format", "pt"));
    assertEquals(new PatchTokenizer(2, 2, 1), read.tokenizer().orElseThrow());
    assertEquals(List.of("cat", "dog"), read.classNames());
    assertEquals(1.5, read.x0Clip().orElseThrow());
    assertEquals(WeightKind.RAW, read.weights().orElseThrow());
    assertEquals("somewhere", read.source().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource({"768, 12", "1024, 16", "1280, 16"})
  void knowsTheHeadsOfThePublishedWidths(int width, int heads) {
    assertEquals(heads, new MarMetadata(Map.of()).heads(width));
  }

  @Test
  void publishedSizesPassTheirOwnCheck() {
    for (MarConfiguration published :
        List.of(MarConfiguration.marB(), MarConfiguration.marL(), MarConfiguration.marH())) {
      assertEquals(
          published.toString(),
          MarCheckpoint.configuration(shapes(published), Map.of()).toString());
    }
  }

  @Test
  void publishedSizesHaveTheirNumbersOfParameters() {
    // 208M, 479M and 943M in the MAR paper.
    assertEquals(208e6, MarConfiguration.marB().parameters(), 1e6);
    assertEquals(479e6, MarConfiguration.marL().parameters(), 1e6);
    assertEquals(943e6, MarConfiguration.marH().parameters(), 1e6);
  }

  static List<String> tensorNames() {
    return MarTensors.of(SMALL).stream().map(MarTensors.Entry::name).toList();
  }

  @ParameterizedTest
  @MethodSource("tensorNames")
  void namesAMissingTensor(String name) {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.remove(name);
    CheckpointException e = refused(shapes, metadata());
    assertEquals(name, e.item());
    assertTrue(e.problem().contains(name) && e.problem().contains("missing"), e.problem());
  }

  @ParameterizedTest
  @MethodSource("tensorNames")
  void namesATensorOfAnotherRank(String name) {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put(name, new long[] {1, 1, 1, 1});
    CheckpointException e = refused(shapes, metadata());
    assertEquals(name, e.item());
    assertTrue(
        e.problem().contains("[1, 1, 1, 1]") && e.problem().contains("expected"), e.problem());
  }

  @Test
  void namesFoundAndExpectedShape() {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put("decoder_blocks.1.mlp.fc2.weight", new long[] {96, 32});
    CheckpointException e = refused(shapes, metadata());
    assertEquals("decoder_blocks.1.mlp.fc2.weight", e.item());
    assertEquals(
        "tensor 'decoder_blocks.1.mlp.fc2.weight' has shape [96, 32]; expected [32, 96]",
        e.problem());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "surplus",
        "encoder_blocks.0.attn.qkv.scale",
        "encoder_blocks.00.norm1.weight",
        "encoder_blocks.1024.norm1.weight",
        "encoder_blocks.99999999999999.norm1.weight",
        "encoder_blocks.",
        "diffloss.net.res_blocks.x"
      })
  void namesATensorTooMany(String name) {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put(name, new long[] {7});
    CheckpointException e = refused(shapes, metadata());
    assertEquals(name, e.item());
    assertTrue(e.problem().contains(name) && e.problem().contains("[7]"), e.problem());
  }

  @Test
  void aNameInAMessageStaysOnItsLine() {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put("two\nlines" + "x".repeat(1000), new long[] {7});
    String problem = refused(shapes, metadata()).problem();
    assertTrue(problem.contains("'two?linesxxx") && problem.length() < 300, problem);
    problem = refused(shapes(SMALL), metadata("weights", "two\nlines")).problem();
    assertTrue(problem.contains("'two?lines'"), problem);
  }

  @Test
  void aGapInTheBlocksIsAMissingTensor() {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put("encoder_blocks.3.norm1.weight", new long[] {32});
    assertEquals("encoder_blocks.2.norm1.weight", refused(shapes, metadata()).item());
  }

  @Test
  void refusesHugeExtentsBeforeTheyOverflow() {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put("z_proj.weight", new long[] {1L << 40, 4});
    assertEquals("z_proj.weight", refused(shapes, metadata()).item());
  }

  @Test
  void refusesFewerPlacesThanTokens() {
    Map<String, long[]> shapes = shapes(SMALL);
    shapes.put("encoder_pos_embed_learned", new long[] {1, 11, 32});
    assertEquals("encoder_pos_embed_learned", refused(shapes, metadata()).item());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "heads | three",
        "heads | 0",
        "heads | -4",
        "heads | 5",
        "heads | 8",
        "heads | 99999999999",
        "grid | 3",
        "grid | 3x5",
        "grid | 0x12",
        "grid | 3x4x1",
        "tokenizer | vae",
        "tokenizer | patch:2x2",
        "tokenizer | patch:0x2:1",
        "tokenizer | patch:2x2:2",
        "tokenizer | patch:999999999x999999999:999999999",
        "classes | cat,dog",
        "classes | {}",
        "classes | [1, 2]",
        "classes | [\"cat\"]",
        "classes | [\"cat\", \"dog\"] x",
        "classes | [\"cat\", \"dog\"",
        "x0_clip | 0",
        "x0_clip | -1",
        "x0_clip | NaN",
        "x0_clip | Infinity",
        "x0_clip | one",
        "weights | best"
      })
  void namesAMalformedKey(String key, String value) {
    CheckpointException e = refused(shapes(SMALL), metadata(key, value));
    assertEquals(key, e.item());
    assertTrue(e.problem().contains("'" + key + "'"), e.problem());
  }

  @Test
  void namesKeysThatAreNeeded() {
    Map<String, String> metadata = metadata();
    metadata.remove("heads");
    assertEquals("heads", refused(shapes(SMALL), metadata).item());
    metadata = metadata();
    metadata.remove("grid");
    assertEquals("grid", refused(shapes(SMALL), metadata).item());
  }

  @Test
  void withoutGridATokenSquareIsRead() {
    assertArrayEquals(new int[] {5, 5}, new MarMetadata(Map.of()).grid(25));
  }
}
