"""Random draws for the other scripts of this folder: the keyed streams of harness/core/rng.h.

The words come from the Philox4x32-10 generator of the package randomgen (2.5.1), which
`check_generator` compares with the vectors that Random123 publishes. Only the keying and the ways
in which words become numbers are written down anew here.
"""

import hashlib

import numpy as np
import randomgen

WORD = 2**32
MARK = 0x5341522D  # word 3 of the counters from which keys are derived


class Blocks:
    """Philox words under one 64-bit key, from a given 128-bit counter on."""

    def __init__(self, key, counter=0):
        # randomgen counts up before it draws.
        self._generator = randomgen.Philox(key=key, counter=(counter - 1) % 2**128, number=4, width=32)

    def words(self, count):
        return [int(word) for word in self._generator.random_raw(count)]


def check_generator():
    """kat_vectors of Random123, philox4x32 with 10 rounds."""
    pi_counter = sum(word << 32 * i for i, word in
                     enumerate((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)))
    for key, counter, words in (
            (0, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
            (2**64 - 1, 2**128 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
            (0x299F31D0A4093822, pi_counter, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))):
        assert tuple(Blocks(key, counter).words(4)) == words


def fnv1a(text):
    """64-bit FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in text.encode("ascii"):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


class Stream:
    """A seed is a key. A derived stream's key is the first two words of Philox at the counter
    (number as two words, position, MARK) under the parent's key: first for the FNV-1a of the
    purpose at position 0, then for each index at positions 1, 2, ... A stream counts from 0."""

    def __init__(self, key):
        self.key = key
        self._blocks = Blocks(key)
        self._ready = []
        self.drawn = 0  # words so far

    def at(self, purpose, indices=()):
        key = self.key
        for position, number in enumerate([fnv1a(purpose), *indices]):
            low, high = Blocks(key, number | position << 64 | MARK << 96).words(2)
            key = low | high << 32
        return Stream(key)

    def word(self):
        if not self._ready:
            self._ready = self._blocks.words(1024)[::-1]
        self.drawn += 1
        return self._ready.pop()

    def uniform(self):
        """53 bits; the first word is the high one."""
        high = self.word()
        return ((high << 32 | self.word()) >> 11) / 2**53

    def noise(self, count):
        """24 bits a value."""
        return np.array([self.word() >> 8 for _ in range(count)], dtype=np.float32) / np.float32(2**24)

    def chance(self, probability):
        return self.uniform() < probability

    def digits(self, ranges):
        """Independent values below each of `ranges` from one word: with the product P of the ranges,
        the whole part of word * P / 2^32 as a mixed-radix number, most significant digit first. Its
        fraction, times 2^32, must not be below 2^32 mod P; otherwise the next word is taken."""
        product = int(np.prod(ranges, dtype=object))
        assert product < WORD
        while True:
            number, rest = divmod(self.word() * product, WORD)
            if rest >= WORD % product:
                return [int(digit) for digit in np.unravel_index(number, ranges)]
            self.rejected = True

    rejected = False  # has any word been refused by digits()?

    def below(self, count):
        """digits() of one range."""
        while True:
            number, rest = divmod(self.word() * count, WORD)
            if rest >= WORD % count:
                return number

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def permutation(self, count):
        """Fisher-Yates from the last place down."""
        order = list(range(count))
        for place in range(count - 1, 0, -1):
            other = self.below(place + 1)
            order[place], order[other] = order[other], order[place]
        return order


def pattern(size):
    """A block, indexed x, y, z, of values that all differ (below 2^24 voxels), look disordered and
    are multiples of 2^-24, hence exact in single precision. The tests make the same one."""
    index = np.arange(np.prod(size), dtype=np.int64)
    return (((index * 10368889 + 4321) % 2**24) / 2**24).astype(np.float32).reshape(size, order="F")


def flat(block):
    """Voxels with x fastest, as the harness keeps them."""
    return np.asarray(block).ravel(order="F")


def exact(block):
    """For blocks of multiples of 2^-24: a digest of all their bytes, and some of their voxels, times
    2^24, to see where a fault begins."""
    values = flat(block).astype("<f4")
    assert np.all(values == np.round(values.astype(np.float64) * 2**24) / 2**24)
    stride = len(values) // 40 | 1
    return {"sha256": hashlib.sha256(values.tobytes()).hexdigest(), "stride": stride,
            "samples": [int(value) for value in values[::stride].astype(np.float64) * 2**24]}
