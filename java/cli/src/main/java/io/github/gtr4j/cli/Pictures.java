package io.github.gtr4j.cli;

import io.github.gtr4j.image.ContactSheet;
import io.github.gtr4j.image.Patches;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.PatchTokenizer;
import io.github.gtr4j.sampling.SamplingResult;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.List;
import java.util.Optional;

/** Draws the images of models whose tokens are patches of pixels. */
final class Pictures {
  private final Patches patches;
  private final TokenGrid grid;

  private Pictures(Patches patches, TokenGrid grid) {
    this.patches = patches;
    this.grid = grid;
  }

  /** Empty if the model's latents need a decoder that is not part of it. */
  static Optional<Pictures> of(MarConfiguration model) {
    return model
        .tokenizer()
        .filter(tokenizer -> tokenizer.channels() == 1 || tokenizer.channels() == 3)
        .map(
            tokenizer ->
                new Pictures(
                    new Patches(tokenizer.height(), tokenizer.width(), tokenizer.channels()),
                    grid(model)));
  }

  /** Why there is no picture of the model's latents. */
  static String reason(MarConfiguration model) {
    Optional<PatchTokenizer> tokenizer = model.tokenizer();
    return tokenizer.isPresent()
        ? "patches of " + tokenizer.get().channels() + " channels are neither grey nor RGB"
        : "the model's latents need a VAE decoder";
  }

  static TokenGrid grid(MarConfiguration model) {
    return new TokenGrid(model.gridHeight(), model.gridWidth());
  }

  /** Refuses numbers of images whose sheets would be too large, before they are drawn. */
  void checkCount(int images, int sheets) {
    long most =
        ContactSheet.maxPictures(
            grid.width() * patches.patchWidth(),
            grid.height() * patches.patchHeight(),
            patches.channels() * sheets);
    if (images > most) {
      throw new BadInputException(
          "--count", images + "; pictures of this size fit on one sheet up to " + most);
    }
  }

  ContactSheet sheet(Images images, List<SamplingResult> results) {
    ContactSheet sheet = new ContactSheet().columns(images.columns());
    for (int k = 0; k < results.size(); k++) {
      sheet.add(patches.toRaster(grid, results.get(k).latents()), images.name(k));
    }
    return sheet;
  }
}
