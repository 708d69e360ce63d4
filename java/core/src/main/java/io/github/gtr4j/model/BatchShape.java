package io.github.gtr4j.model;

/**
 * The sizes of a batch, on which the shapes of everything that is computed for it depend.
 *
 * @param sequences number of sequences
 * @param encoderRows places that the encoder sees, in all sequences together
 * @param encoderLength places that the encoder sees in the longest sequence
 * @param rows condition vectors of all sequences together
 * @param wantedLength condition vectors of the sequence with the most
 */
record BatchShape(int sequences, int encoderRows, int encoderLength, int rows, int wantedLength) {

  static BatchShape of(ConditionBatch batch, int buffer) {
    int sequences = batch.sequences();
    int encoderRows = 0;
    int encoderLength = 0;
    int wantedLength = 0;
    for (int s = 0; s < sequences; s++) {
      int length = buffer + batch.knownCount(s);
      encoderRows += length;
      encoderLength = Math.max(encoderLength, length);
      wantedLength = Math.max(wantedLength, batch.wantedCount(s));
    }
    return new BatchShape(sequences, encoderRows, encoderLength, batch.rows(), wantedLength);
  }

  /** Whether all sequences are equally long in the encoder, so that no row of it is padding. */
  boolean encoderIsDense() {
    return encoderRows == sequences * encoderLength;
  }

  /** Whether all sequences want equally many condition vectors. */
  boolean wantedIsDense() {
    return rows == sequences * wantedLength;
  }
}
