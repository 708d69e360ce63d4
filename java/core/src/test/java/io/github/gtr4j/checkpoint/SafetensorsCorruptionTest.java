package io.github.gtr4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a header can lie is found when the file is opened, and named. */
class SafetensorsCorruptionTest {
  private static final String W = "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

  private static CheckpointException refusal(byte[] file) {
    return assertThrows(CheckpointException.class, () -> Safetensors.open(file).close());
  }

  private static String tensor(String name, String type, String shape, String offsets) {
    return "\""
        + name
        + "\":{\"dtype\":"
        + type
        + ",\"shape\":"
        + shape
        + ",\"data_offsets\":"
        + offsets
        + "}";
  }

  static Stream<Arguments> headers() {
    return Stream.of(
        // JSON
        Arguments.of("", 0, "header", "the header is not a JSON object"),
        Arguments.of("[]", 0, "header", "the header is not a JSON object"),
        Arguments.of("null", 0, "header", "the header is not a JSON object"),
        Arguments.of("{", 0, "header", "the header is not valid JSON: "),
        Arguments.of("{}{}", 0, "header", "the header goes on after its JSON object"),
        Arguments.of("{} x", 0, "header", "the header is not valid JSON: "),
        Arguments.of("{\"w\":}", 0, "header", "the header is not valid JSON: "),
        Arguments.of(
            "{" + W + "," + W + "}",
            8,
            "header",
            "the header is not valid JSON: Duplicate field 'w'"),
        Arguments.of(
            "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
            0,
            "header",
            "the header is not valid JSON: Duplicate field 'a'"),
        Arguments.of(
            "{\"__metadata__\":{},\"__metadata__\":{}}",
            0,
            "header",
            "the header is not valid JSON: Duplicate field '__metadata__'"),
        // metadata
        Arguments.of(
            "{\"__metadata__\":3}", 0, "__metadata__", "__metadata__ is not a JSON object"),
        Arguments.of(
            "{\"__metadata__\":{\"heads\":4}}", 0, "heads", "metadata key 'heads' is not a string"),
        // fields
        Arguments.of("{\"w\":[]}", 0, "w", "tensor 'w' is not described by a JSON object"),
        Arguments.of(
            "{\"w\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "w", "tensor 'w' has no dtype"),
        Arguments.of(
            "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}",
            8,
            "w",
            "tensor 'w' has no shape"),
        Arguments.of(
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "w", "tensor 'w' has no data_offsets"),
        Arguments.of(
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}",
            8,
            "w",
            "tensor 'w' has the unknown field 'x'"),
        Arguments.of(
            "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "header",
            "the header is not valid JSON: Duplicate field 'dtype'"),
        // dtype
        Arguments.of(
            "{" + tensor("w", "\"F33\"", "[2]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has the unknown dtype 'F33'; allowed are BOOL, U8, "),
        Arguments.of(
            "{" + tensor("w", "32", "[2]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a dtype that is not a string"),
        // shape
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "2", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape that is not a JSON array"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2.0]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape with an entry that is not a whole number"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[[2]]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape with an entry that is not a whole number"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[-2]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape with an entry out of range: -2; allowed 0 to "),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[18446744073709551618]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape with an entry out of range: 18446744073709551618; allowed 0"
                + " to "),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has a shape with more than 8 entries"),
        // sizes that overflow, to values that would look right
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[4294967296,4294967296]", "[0,0]") + "}",
            0,
            "w",
            "tensor 'w' has a size that overflows: [4294967296, 4294967296]"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[4611686018427387904]", "[0,0]") + "}",
            0,
            "w",
            "tensor 'w' has a size that overflows: [4611686018427387904]"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[4294967296,4294967296,0]", "[0,0]") + "}",
            0,
            "w",
            "tensor 'w' has a size that overflows: [4294967296, 4294967296, 0]"),
        // offsets
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[0]") + "}",
            8,
            "w",
            "tensor 'w' has 1 data_offsets; allowed are 2"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[0,8,8]") + "}",
            8,
            "w",
            "tensor 'w' has a data_offsets with more than 2 entries"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[-8,0]") + "}",
            8,
            "w",
            "tensor 'w' has a data_offsets with an entry out of range: -8; allowed 0 to "),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[8,0]") + "}",
            8,
            "w",
            "tensor 'w' has data_offsets [8, 0], which do not lie within the 8 bytes of data"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[8,16]") + "}",
            8,
            "w",
            "tensor 'w' has data_offsets [8, 16], which do not lie within the 8 bytes of data"),
        Arguments.of(
            "{" + tensor("w", "\"F32\"", "[2]", "[0,4]") + "}",
            4,
            "w",
            "tensor 'w' has 4 bytes of data, but F32 [2] takes 8"),
        Arguments.of(
            "{" + tensor("w", "\"F64\"", "[2]", "[0,8]") + "}",
            8,
            "w",
            "tensor 'w' has 8 bytes of data, but F64 [2] takes 16"),
        // coverage
        Arguments.of(
            "{" + W + "," + tensor("v", "\"F32\"", "[2]", "[4,12]") + "}",
            12,
            "v",
            "tensor 'v' overlaps tensor 'w': it begins at byte 4, the other ends at 8"),
        Arguments.of(
            "{" + W + "," + tensor("v", "\"F32\"", "[2]", "[0,8]") + "}",
            8,
            "v",
            "tensor 'v' overlaps tensor 'w': it begins at byte 0, the other ends at 8"),
        Arguments.of(
            "{" + W + "," + tensor("v", "\"F32\"", "[1]", "[12,16]") + "}",
            16,
            "v",
            "tensor 'v' leaves a gap: it begins at byte 12 of the data, the one before ends at 8"),
        Arguments.of(
            "{" + tensor("v", "\"F32\"", "[1]", "[4,8]") + "}",
            8,
            "v",
            "tensor 'v' leaves a gap: it begins at byte 4 of the data, the one before ends at 0"),
        Arguments.of("{" + W + "}", 9, "", "the file has 1 bytes after the last tensor"),
        Arguments.of("{}", 1, "", "the file has 1 bytes after the last tensor"));
  }

  @ParameterizedTest
  @MethodSource("headers")
  void headerThatLies(String header, int dataBytes, String item, String problem) {
    CheckpointException e = refusal(Safetensors.file(header, dataBytes));
    assertEquals("test.safetensors", e.file());
    assertEquals(item, e.item());
    assertTrue(e.problem().startsWith(problem), e.problem());
    assertEquals("test.safetensors: " + e.problem(), e.getMessage());
    assertFalse(e.getMessage().contains("\n"));
  }

  @Test
  void everyTruncationIsFound() {
    byte[] whole = Safetensors.file("{" + W + "}", 8);
    assertDoesNotThrow(() -> Safetensors.open(whole).close());
    for (int bytes = 0; bytes < whole.length; bytes++) {
      refusal(Arrays.copyOf(whole, bytes));
    }
  }

  @Test
  void lengthOfTheHeader() {
    byte[] none = new byte[0];
    assertEquals(
        "the file has 7 bytes, too few for a safetensors file", refusal(new byte[7]).problem());
    assertEquals(
        "the header length is 5 bytes, but the file has only 0 more (is it truncated?)",
        refusal(Safetensors.file(5, none, none)).problem());
    for (long length : new long[] {(16 << 20) + 1, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
      CheckpointException e = refusal(Safetensors.file(length, none, new byte[64]));
      assertEquals("header length", e.item());
      assertEquals(
          "the header length is "
              + Long.toUnsignedString(length)
              + " bytes; allowed are at most 16777216 (is it a safetensors file?)",
          e.problem());
    }
  }

  @Test
  void otherEncodingsAreNotGuessed() {
    byte[] utf16 = ("{" + W + "}").getBytes(StandardCharsets.UTF_16LE);
    refusal(Safetensors.file(utf16.length, utf16, new byte[8]));
    byte[] latin = "{\"\u00e9\":1}".getBytes(StandardCharsets.ISO_8859_1);
    assertEquals(
        "the header is not valid UTF-8",
        refusal(Safetensors.file(latin.length, latin, new byte[0])).problem());
  }

  @Test
  void paddingIsAccepted() {
    assertDoesNotThrow(() -> Safetensors.open(Safetensors.file("{" + W + "}    \n", 8)).close());
  }

  @Test
  void namesAreRepeatedWithinReason() {
    CheckpointException e =
        refusal(Safetensors.file("{\"a\\n\\u0007" + "x".repeat(5000) + "\":1}", 0));
    assertTrue(e.getMessage().startsWith("test.safetensors: tensor 'a??xxx"), e.getMessage());
    assertTrue(e.getMessage().length() < 400);
  }

  @Test
  void hostilelyDeepOrLongHeadersAreRefusedNotOverflowed() {
    refusal(Safetensors.file("{\"w\":{\"shape\":" + "[".repeat(100_000), 0));
    refusal(Safetensors.file("{\"w\":{\"shape\":[" + "9".repeat(100_000) + "]}}", 0));
    StringBuilder many = new StringBuilder("{");
    for (int i = 0; i <= SafetensorsHeader.MAX_TENSORS; i++) {
      many.append('"').append(i).append("\":{\"dtype\":\"U8\",\"shape\":[0],");
      many.append("\"data_offsets\":[0,0]},");
    }
    many.setCharAt(many.length() - 1, '}');
    assertEquals(
        "the header names more than 100000 tensors",
        refusal(Safetensors.file(many.toString(), 0)).problem());
  }
}
