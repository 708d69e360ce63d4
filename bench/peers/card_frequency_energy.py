#!/usr/bin/env python3
"""Frequency energy by torch.fft (cuFFT): real transform, magnitude, weighted sum."""

import torch

from card_timing import Peer


def main():
    peer = Peer("frequency energy", __doc__)
    for case in peer.cases():
        z = peer.random(case.rows, case.width)
        half = case.width // 2
        weight = 1 + torch.arange(1, half + 1, device=peer.device) / half

        def energy(z=z, weight=weight):
            return torch.fft.rfft(z).abs()[:, 1:] @ weight

        peer.measure(case, "cuFFT (torch)" if peer.on_card else "torch", energy)


if __name__ == "__main__":
    main()
