// What a card reaches at most, as measured.
#pragma once

#include "card.h"
#include "gtr/gtr.h"
#include "peak.h"

namespace gtr::bench {

// emulated: with loops so short that the emulator gets through them.
Peak measure_card_peak(Card& card, gtr_device* device, gtr_stream* stream, bool emulated);

}  // namespace gtr::bench
