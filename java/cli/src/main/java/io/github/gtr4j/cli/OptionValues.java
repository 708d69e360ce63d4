package io.github.gtr4j.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Reads the values of options; a bad one is an error that names the option and what is allowed. */
final class OptionValues {
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,18}");
  private static final Pattern REAL =
      Pattern.compile("[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?");
  private static final Pattern UNSIGNED = Pattern.compile("[0-9]{1,20}");

  private OptionValues() {}

  static long integer(String option, String text, long least, long most) {
    if (INTEGER.matcher(text).matches()) {
      long value = Long.parseLong(text);
      if (value >= least && value <= most) {
        return value;
      }
    }
    throw new BadInputException(
        option, "'" + text + "'; allowed are whole numbers from " + least + " to " + most);
  }

  static int smallInteger(String option, String text, int least, int most) {
    return (int) integer(option, text, least, most);
  }

  /** A number from 0 to a limit. */
  static double real(String option, String text, double most) {
    boolean tooLarge = false;
    if (REAL.matcher(text).matches()) {
      double value = Double.parseDouble(text);
      if (value >= 0 && value <= most) {
        return value;
      }
      tooLarge = value > most;
    }
    String limit;
    if (most < Float.MAX_VALUE) {
      limit = " to " + (long) most;
    } else {
      // Only a number that is finite and yet too large needs to know where floats end.
      limit = tooLarge ? " to " + Float.MAX_VALUE : " on";
    }
    throw new BadInputException(
        option, "'" + text + "'; allowed are finite numbers from 0" + limit);
  }

  /** A seed: an unsigned 64-bit number. */
  static long unsigned(String option, String text) {
    try {
      if (UNSIGNED.matcher(text).matches()) {
        return Long.parseUnsignedLong(text);
      }
    } catch (NumberFormatException e) {
      // Twenty digits may exceed 64 bits; the error below says so.
    }
    throw new BadInputException(
        option, "'" + text + "'; allowed are whole numbers from 0 to 18446744073709551615");
  }

  static int[] integers(String option, String text, int least, int most) {
    String[] parts = text.split(",", -1);
    int[] values = new int[parts.length];
    for (int k = 0; k < parts.length; k++) {
      if (!INTEGER.matcher(parts[k]).matches()) {
        throw new BadInputException(
            option, "'" + text + "'; allowed are whole numbers with commas between them");
      }
      values[k] = (int) integer(option, parts[k], least, most);
    }
    return values;
  }

  /** One of an enumeration's constants, by its name in lower case. */
  static <E extends Enum<E>> E choice(String option, String text, Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      if (lowerCase(constant).equals(text)) {
        return constant;
      }
    }
    List<String> names =
        Arrays.stream(type.getEnumConstants()).map(OptionValues::lowerCase).toList();
    throw new BadInputException(option, "'" + text + "'; allowed are " + String.join(", ", names));
  }

  static String lowerCase(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
