"""Sets of small numbers as the bits of Python integers: a set is a mask, and set algebra is exact and quick."""

from __future__ import annotations

from collections.abc import Iterable


def mask_of(members: Iterable[int]) -> int:
    """The integer whose bits are the members."""
    mask = 0
    for member in members:
        mask |= 1 << member
    return mask


def members_of(mask: int) -> list[int]:
    """The bits of the integer, in increasing order.

    Example:
        >>> members_of(mask_of([5, 0, 2]))
        [0, 2, 5]
    """
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def union(sets: Iterable[int]) -> int:
    """The elements of any of the sets."""
    mask = 0
    for other in sets:
        mask |= other
    return mask


def minimal(sets: Iterable[int]) -> list[int]:
    """The sets that contain no other, each once."""
    found: list[int] = []
    for mask in sorted(set(sets), key=int.bit_count):
        if not any(known & mask == known for known in found):
            found.append(mask)
    return found


def components(sets: Iterable[int]) -> list[list[int]]:
    """The sets in parts that share no element.

    Example:
        >>> components([0b0011, 0b1000, 0b0110])
        [[3, 6], [8]]
    """
    parts: list[tuple[int, list[int]]] = []
    for mask in sets:
        touching = [part for part in parts if part[0] & mask]
        joined = mask
        for elements, _ in touching:
            joined |= elements
        members = [known for _, part in touching for known in part]
        parts = [part for part in parts if not part[0] & mask]
        parts.append((joined, [*members, mask]))
    return [part for _, part in sorted(parts, key=lambda part: members_of(part[0])[:1])]
