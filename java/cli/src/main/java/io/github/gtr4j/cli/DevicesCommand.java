package io.github.gtr4j.cli;

import io.github.gtr4j.GtrException;
import io.github.gtr4j.device.Backend;
import io.github.gtr4j.device.BackendReport;
import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceInfo;
import io.github.gtr4j.device.DeviceOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows what can compute here. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    versionProvider = GtrCommand.Versions.class,
    description = "Shows the devices and instruction sets of this machine, and what auto picks.")
final class DevicesCommand implements Callable<Integer> {
  private final Terminal terminal;

  @Mixin private JsonOption json;

  DevicesCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    List<BackendReport> backends = Device.list();
    List<Card> cards = cards(backends);
    try (Device device = RunOptions.open(DeviceOptions.auto())) {
      if (json.isOn()) {
        Json.print(
            terminal.out(),
            Json.object(
                "backends", backends.stream().map(report -> json(report, cards)).toList(),
                "chosen", json(device.info())));
      } else {
        print(backends, cards, device.info());
      }
    }
    return ExitCode.OK;
  }

  private void print(List<BackendReport> backends, List<Card> cards, DeviceInfo chosen) {
    for (BackendReport report : backends) {
      terminal
          .out()
          .printf(
              "%-6s%d %s: %s%n",
              OptionValues.lowerCase(report.backend()),
              report.devices(),
              report.devices() == 1 ? "device" : "devices",
              report.detail());
      for (Map.Entry<String, Boolean> tier : tiers(report).entrySet()) {
        terminal
            .out()
            .printf("      %-12s%s%n", tier.getKey(), tier.getValue() ? "yes" : "not here");
      }
      if (report.backend() == Backend.CUDA) {
        for (Card card : cards) {
          terminal.out().printf("      %-12s%s%n", "cuda:" + card.index(), card.text());
        }
      }
    }
    terminal.out().println("chosen by auto: " + describe(chosen));
    terminal.out().println(chosen.reason());
  }

  /** One phrase about a device. */
  static String describe(DeviceInfo info) {
    String kind = OptionValues.lowerCase(info.backend());
    if (info.backend() != Backend.CPU) {
      return info.name() + " (" + kind + ":" + info.index() + ")";
    }
    return info.name()
        + " ("
        + kind
        + ", "
        + info.tier().id()
        + ", "
        + info.threads()
        + (info.threads() == 1 ? " thread)" : " threads)");
  }

  private static Map<String, Boolean> tiers(BackendReport report) {
    Map<String, Boolean> tiers = new LinkedHashMap<>();
    if (report.backend() == Backend.CPU) {
      for (CpuTier tier : CpuTier.values()) {
        if (tier != CpuTier.AUTO) {
          tiers.put(tier.id(), report.tiers().contains(tier));
        }
      }
    }
    return tiers;
  }

  /**
   * A GPU as it was found when it was opened.
   *
   * @param info what it is; null if it could not be opened
   * @param failure why not; null if it could
   */
  private record Card(int index, DeviceInfo info, String failure) {
    String text() {
      return info == null
          ? "cannot be used: " + failure
          : info.name() + ", " + Summary.bytes(info.memoryBytes());
    }

    Map<String, Object> json() {
      return info == null
          ? Json.object("index", index, "failure", failure)
          : DevicesCommand.json(info);
    }
  }

  private static List<Card> cards(List<BackendReport> backends) {
    List<Card> cards = new ArrayList<>();
    for (BackendReport report : backends) {
      for (int i = 0; report.backend() == Backend.CUDA && i < report.devices(); i++) {
        try (Device device = Device.cuda(i)) {
          cards.add(new Card(i, device.info(), null));
        } catch (GtrException e) {
          cards.add(new Card(i, null, e.getMessage()));
        }
      }
    }
    return cards;
  }

  private static Map<String, Object> json(BackendReport report, List<Card> cards) {
    Map<String, Object> object =
        Json.object(
            "backend", OptionValues.lowerCase(report.backend()),
            "devices", report.devices(),
            "detail", report.detail());
    if (report.backend() == Backend.CPU) {
      List<String> available = new ArrayList<>();
      tiers(report)
          .forEach(
              (tier, is) -> {
                if (is) {
                  available.add(tier);
                }
              });
      object.put("tiers", available);
    } else {
      object.put("cards", cards.stream().map(Card::json).toList());
    }
    return object;
  }

  /** What a JSON document says of an open device. */
  static Map<String, Object> json(DeviceInfo info) {
    Map<String, Object> object =
        Json.object(
            "backend", OptionValues.lowerCase(info.backend()),
            "index", info.index(),
            "name", info.name(),
            "memoryBytes", info.memoryBytes(),
            "reason", info.reason());
    if (info.backend() == Backend.CPU) {
      object.put("threads", info.threads());
      object.put("tier", info.tier().id());
    }
    return object;
  }
}
