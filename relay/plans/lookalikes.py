"""Names that look like others: `order completed` beside `Order Completed`, `prodcut_id` beside `product_id`.

Two names are alike when only case and signs between words differ, or when one is rare beside the other and a letter is
missing, wrong or too much, or two have changed places. Digits count: `Step 1` is not `Step 2`.
"""

from collections.abc import Iterator, Mapping

RARE = 100  # times as often as a mistyped name is the right one seen, at least
SHORTEST = 5  # characters of a name that may be mistyped; of shorter ones too many are alike


def lookalikes(names: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Pairs of a rarer name and the one that was probably meant. `names`: how often each was seen."""
    by_frequency = sorted(names, key=lambda name: (-names[name], name))
    folded: dict[str, str] = {}
    near: dict[str, str] = {}
    for name in by_frequency:
        key = "".join(filter(str.isalnum, name.casefold()))
        other = folded.setdefault(key, name)
        if other != name:
            yield name, other
            continue
        if len(key) < SHORTEST:
            continue
        spellings = {key, *_without_one(key)}
        found = (near[spelling] for spelling in spellings if spelling in near)
        close = next(
            (one for one in found if names[name] * RARE <= names[one] and _digits(one) == _digits(name)), None
        )
        if close is not None:
            yield name, close
        for spelling in spellings:
            near.setdefault(spelling, name)


def _without_one(key: str) -> Iterator[str]:
    """`key` without each of its characters: what two names have in common that are one step apart."""
    return (key[:place] + key[place + 1 :] for place in range(len(key)))


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))
